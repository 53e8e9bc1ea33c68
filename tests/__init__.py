"""The tests, named for the promises that they keep."""
