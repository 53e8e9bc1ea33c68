"""XML data sources."""
