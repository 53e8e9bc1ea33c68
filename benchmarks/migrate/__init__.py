"""A migration between two local servers: how long it takes, in how much memory, and what kills do to it."""
