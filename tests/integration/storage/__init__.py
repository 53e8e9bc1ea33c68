"""The adapters against Azurite."""
