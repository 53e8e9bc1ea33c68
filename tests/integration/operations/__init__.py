"""What operators do, over Azurite."""
