"""How a migration ends before its time. Each text is one line: what happened, and what to do."""


class MigrationStoppedError(Exception):
    """The whole run stops here. The next run goes on where this one stopped."""


class NotCopiedError(Exception):
    """One data source or job can't be copied; the others go on."""
