"""The wire format as pure functions: no I/O, no clock, no settings read from the air."""
