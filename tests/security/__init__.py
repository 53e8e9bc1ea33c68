"""Tests of what an auditor asks."""
