"""The traceId of each response: 32 lowercase hex digits, new each time.

Asking the system for 16 random bytes costs a seventh of a poll, so it is asked for a page of them. A traceId is no
secret.
"""

import os

SAMPLE_TRACE_ID = "0123456789abcdef" * 2
"""Stands where a traceId will, in what is made once for many answers."""

_DIGITS = len(SAMPLE_TRACE_ID)
_PAGE = 4096

_ready: list[str] = []
os.register_at_fork(after_in_child=_ready.clear)


def new_trace_id() -> str:
    """A traceId that no response had before, whatever the thread or the process."""
    try:
        return _ready.pop()
    except IndexError:
        page = os.urandom(_PAGE).hex()
        first, *others = (page[start : start + _DIGITS] for start in range(0, len(page), _DIGITS))
        _ready.extend(others)
        return first
