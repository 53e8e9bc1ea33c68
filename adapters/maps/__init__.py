"""Azure Maps: batch geocoding."""
