"""Benchmarks: run by make bench, beside the tests."""
