"""HTTP requests: from a parsed request to a response."""
