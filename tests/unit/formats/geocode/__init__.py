"""Files of geocode jobs."""
