"""What queries cost through the server: run by `python -m benchmarks.queries`."""
