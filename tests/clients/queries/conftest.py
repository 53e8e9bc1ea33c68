"""A server with data sources to query, and one whose entities take several pages."""

from tests.support.query_fixtures import many, samples, served, shops

__all__ = ["many", "samples", "served", "shops"]
