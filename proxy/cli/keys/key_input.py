"""Reads a key from standard input: a command line shows in the list of processes."""

import sys
from getpass import getpass

from proxy.cli.errors import CommandError


def read_key(prompt: str) -> str:
    """Reads a line of standard input. On a terminal it prompts, and does not echo."""
    if sys.stdin is None:
        return ""
    try:
        return getpass(prompt, sys.stderr) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:  # Ctrl-D in place of a key
        return ""


def require_key(hint: str = "") -> str:
    """Reads a key without the blanks around it.

    Raises:
        CommandError: there is none.
    """
    key = read_key("Key: ").strip()
    if not key or not key.isprintable():
        raise CommandError(f"no key on standard input{hint}")
    return key
