"""The rules of `conformance` against our server and against changed answers."""
