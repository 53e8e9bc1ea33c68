"""The adapters of the write side, each by itself against the real Azurite."""
