"""What becomes of requests when storage has a bad minute, and what polling costs storage when it has none."""
