"""Tests that need Azurite."""
