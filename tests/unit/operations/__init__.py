"""What operators do, without storage."""
