"""Geocode jobs by a real server and worker, over Azurite, before a stand-in for Azure Maps."""
