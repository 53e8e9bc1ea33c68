"""Unit tests of formats."""
