"""Records, versions, ids and ticks: frozen dataclasses and pure functions. Imports nothing of the rest."""
