"""What the console shows, without HTTP and storage."""
