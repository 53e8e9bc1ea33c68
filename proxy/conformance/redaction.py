"""Takes keys and signatures out of what is shown, byte for byte, so that places in a body stay where they are."""

import json
import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

# Longer than any secret is, however it is escaped; a whole list has a hundred times as much.
AROUND = 65_536

_SIGNATURE = re.compile(rb"(?i)(?<![a-z])sig(?:=|%3d)([^&\"'<>#\s]*)")


class Redactor:
    """Replaces each byte of a secret by an asterisk. Secrets match in any letter case, however they are escaped."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be the beginning of another.
        different = {secret.lower() if secret.isascii() else secret for secret in secrets if secret}
        longest_first = sorted(different, key=len, reverse=True)
        alternatives = b"|".join(b"".join(map(_any_form, secret)) for secret in longest_first)
        self._keys = re.compile(b"(?i)" + alternatives) if alternatives else None

    def part(self, body: bytes, start: int, end: int) -> bytes:
        """A part of a body, masked together with so much around it that no secret is cut before it is seen."""
        first = max(0, start - AROUND)
        return self.body(body[first : end + AROUND])[start - first : end - first]

    def body(self, body: bytes) -> bytes:
        """The body, as long as it was."""
        masked = _SIGNATURE.sub(lambda found: found[0][: -len(found[1]) or None] + b"*" * len(found[1]), body)
        return masked if self._keys is None else self._keys.sub(lambda found: b"*" * len(found[0]), masked)

    def text(self, text: str) -> str:
        """A text."""
        return self.body(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _any_form(char: str) -> bytes:
    """A pattern of one character, as it is or as URLs, JSON, HTML and XML may write it, once or several times over.

    Runs of backslashes are bounded: who sends a million of them would keep the search busy for an hour.
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


def holds(body: bytes, secrets: Iterable[str]) -> bool:
    """Whether a body has one of the secrets in it, exactly, however it is escaped."""
    return any(form.encode() in body for secret in secrets if secret for form in _forms(secret))


def _forms(secret: str) -> set[str]:
    in_json = json.dumps(secret)[1:-1]
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        in_json,
        in_json.replace("/", "\\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escape(secret),
        escape(secret, quote=False),
    }
