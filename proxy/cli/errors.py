"""How a command says that it can't be done."""


class CommandError(Exception):
    """The command can't be done; the text is what standard error says."""
