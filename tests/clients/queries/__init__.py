"""Clients of the Query API, replayed: how they ask, and how they read what they get (query-api.md, section 4)."""
