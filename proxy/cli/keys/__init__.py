"""The commands `keys ...`: they work on the key store where the ring has one, else on the key ring file."""
