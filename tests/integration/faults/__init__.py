"""Requests while storage fails."""
