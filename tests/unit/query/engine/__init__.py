"""Tests of the engine: a version's file and what a query finds in it."""
