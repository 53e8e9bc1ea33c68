"""Unit tests of comparison."""
