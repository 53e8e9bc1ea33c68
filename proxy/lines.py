"""Texts that must stay on their line, in a log or on standard error."""


def one_line(text: object) -> str:
    """The text with what is not printable replaced: what a row or a file says can't begin a line of its own."""
    return "".join(char if char.isprintable() else "?" for char in str(text))
