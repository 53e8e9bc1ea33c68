"""Files of geocode jobs: requests in, and what became of them out (geocode.md)."""
