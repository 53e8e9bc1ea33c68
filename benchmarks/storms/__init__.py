"""Many clients, workers that are killed, and storage that fails now and then; afterwards all must be as if none had."""
