"""Tests of what the documents of the project say."""
