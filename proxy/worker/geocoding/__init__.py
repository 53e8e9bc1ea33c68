"""Geocode jobs: their plan, their calls, and their checkpoints (geocode.md, section 7)."""
