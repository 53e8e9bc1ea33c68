"""Delimited text: csv, tab and pipe."""
