"""The HTTP surface, on a real socket, in front of a real Azurite."""
