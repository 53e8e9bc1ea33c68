"""What only shows under long or heavy use, measured on real processes: `make soak`."""
