"""Texts made safe to write: for XML 1.0, and for one line of a log or of standard error."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

INVALID_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def strip_invalid_xml(text: str) -> str:
    """Replaces every character that XML 1.0 can't carry by U+FFFD, in JSON too (wire-contract.md, section 2)."""
    if text.isascii() and text.isprintable():  # almost every text, at a tenth of the cost
        return text
    return INVALID_XML.sub(REPLACEMENT, text)


def single_line(text: object) -> str:
    """Replaces characters that are not printable, so that a stored text can't begin a line of its own."""
    return "".join(char if char.isprintable() else "?" for char in str(text))
