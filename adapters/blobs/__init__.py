"""Blob Storage: the store of blobs, and links that a SAS signs."""
