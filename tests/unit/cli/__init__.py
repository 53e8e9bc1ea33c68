"""Commands without storage."""
