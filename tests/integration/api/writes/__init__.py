"""Requests that create jobs or describe data sources."""
