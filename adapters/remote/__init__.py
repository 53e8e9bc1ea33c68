"""Fetches URLs that a caller names, without server-side request forgery (SSRF)."""
