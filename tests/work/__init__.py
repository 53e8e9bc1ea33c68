"""Jobs done by workers, against a real Azurite."""
