"""A stand-in for Azure Maps on loopback, for the demo and the tests. It is no Azure Maps, and knows a dozen places."""
