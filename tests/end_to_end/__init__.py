"""Whole processes, started and ended; slow."""
