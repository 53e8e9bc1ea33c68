"""Comparisons of servers in front of a real Azurite."""
