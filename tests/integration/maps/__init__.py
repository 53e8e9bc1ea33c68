"""The Azure Maps client against the stand-in."""
