"""Threats of SECURITY.md."""
