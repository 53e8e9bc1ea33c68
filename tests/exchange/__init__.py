"""Tests of the exchange formats: what a load reads and a download writes."""
