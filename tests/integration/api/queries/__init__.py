"""Queries of data sources over HTTP, in front of a real Azurite."""
