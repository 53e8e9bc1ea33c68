"""The one error of this package, and how its texts show a value."""

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class QueryError(Exception):
    """A request that gets 400. The text shows the wrong value, cut and printable, and what is allowed."""


def quote_value(text: str) -> str:
    """A value as a message shows it: in quotes, cut, without characters that don't print."""
    cut = "".join(character if character.isprintable() else " " for character in text[:_SHOWN])
    return f"'{cut}'" if len(text) <= _SHOWN else f"'{cut}...'"
