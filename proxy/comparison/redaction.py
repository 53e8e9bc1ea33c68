"""Removes keys and signatures from what a report shows, byte for byte, so that positions in a body stay valid."""

import re
from collections.abc import Iterable
from html import escape

# Longer than any escaped secret; a whole list is a hundred times as long.
CONTEXT = 65_536

_SIGNATURE = re.compile(rb"(?i)(?<![a-z])sig(?:=|%3d)([^&\"'<>#\s]*)")


class Redactor:
    """Replaces each byte of a secret by an asterisk. Secrets match in any letter case and in any escaping."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be the beginning of another.
        distinct = {secret.lower() if secret.isascii() else secret for secret in secrets if secret}
        longest_first = sorted(distinct, key=len, reverse=True)
        alternatives = b"|".join(b"".join(map(_any_form, secret)) for secret in longest_first)
        self._secrets = re.compile(b"(?i)" + (alternatives or b"(?!)"))

    def finds_secret(self, body: bytes) -> bool:
        """Whether a body has one of the secrets in it."""
        return self._secrets.search(body) is not None

    def part(self, body: bytes, start: int, end: int) -> bytes:
        """A part of a body, redacted with enough context that no secret is cut before it is recognised."""
        first = max(0, start - CONTEXT)
        return self.body(body[first : end + CONTEXT])[start - first : end - first]

    def body(self, body: bytes) -> bytes:
        """The redacted body, of the same length."""
        unsigned = _SIGNATURE.sub(lambda found: found[0][: -len(found[1]) or None] + b"*" * len(found[1]), body)
        return self._secrets.sub(lambda found: b"*" * len(found[0]), unsigned)

    def text(self, text: str) -> str:
        """The redacted text."""
        return self.body(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _any_form(char: str) -> bytes:
    """A pattern of one character, plain or as URLs, JSON, HTML and XML escape it, once or several times.

    Runs of backslashes are bounded: an unbounded run makes the search quadratic in the body.
    """
    octets, units = char.encode(), char.encode("utf-16-be")
    forms = [
        rb"\\{0,8}" + re.escape(octets),
        b"".join(b"%%(?:25)*%02x" % octet for octet in octets),
        b"".join(b"\\\\{1,8}u" + units[at : at + 2].hex().encode() for at in range(0, len(units), 2)),
        b"&#0*%d;|&#x0*%x;|%b" % (ord(char), ord(char), re.escape(escape(char).encode())),
        rb"\+" if char == " " else b"",
    ]
    return b"(?:" + b"|".join(filter(None, forms)) + b")"
