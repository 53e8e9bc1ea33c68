"""The error of a command."""


class CommandError(Exception):
    """A command can't be done. Its text is printed on standard error."""
