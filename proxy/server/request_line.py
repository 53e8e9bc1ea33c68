"""Request lines that real clients send and the parser refuses: raw UTF-8 in a URL, and methods it does not know."""

import re

_METHODS = frozenset(b"GET HEAD POST PUT DELETE PATCH OPTIONS TRACE CONNECT".split())

# The parser knows a list of methods. A method outside it is one that no path takes, like this one in the list.
_OTHER_METHOD = b"UNLINK"

_METHOD = rb"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40})"
_WHOLE = re.compile(_METHOD + rb" [^\x00-\x20\x7f]+ HTTP/1\.[01]\r")
_BEGUN = re.compile(_METHOD + rb"(?: [^\x00-\x1f\x7f]*)?\r?")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def repair_request_line(head: bytes) -> bytes | None:
    """Rewrites the request line of a refused head so that the parser takes it.

    Args:
        head: bytes of one request from its first byte on, and any that follow.

    Returns:
        All of them with the line repaired; empty while the line has no end yet; None where the line is not the cause.
    """
    line, newline, rest = head.lstrip(b"\r\n").partition(b"\n")
    found = (_WHOLE if newline else _BEGUN).fullmatch(line)
    if found is None or (line.isascii() and found["method"] in _METHODS):
        return None
    if not newline:
        return b""
    if found["method"] not in _METHODS:
        line = _OTHER_METHOD + line[found.end("method") :]
    return _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], line) + newline + rest
