"""Questions to endpoints of the API, and whether two answers are the same. It imports nothing of the rest."""
