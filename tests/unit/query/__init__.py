"""Unit tests of query."""
