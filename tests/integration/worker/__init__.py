"""Jobs done by workers."""
