"""The console without storage."""
