"""What each operation does, one file per resource."""
