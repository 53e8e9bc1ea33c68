"""Columns of values: their texts, parsed and written."""
