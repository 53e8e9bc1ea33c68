"""Shapefiles."""
