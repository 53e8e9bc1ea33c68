"""The pages that every page links to, in their order."""

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/", "Overview"),
    ("/jobs", "Jobs"),
    ("/sources", "Data sources"),
    ("/load", "Load"),
    ("/keys", "Keys"),
    ("/check", "Check"),
    ("/reports", "Reports"),
    ("/audit", "Audit"),
)

FOR_CHANGES = frozenset(("/load",))
"""Pages that a read-only console does not link to."""
