"""Bing's wire format: URLs, parameters, JSON and XML. Pure: imports neither Azure nor HTTP."""
