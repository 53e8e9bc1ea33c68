"""Geocode jobs of a worker."""
