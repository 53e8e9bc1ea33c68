"""Reads a key from standard input: a command line shows in the list of processes."""

import sys
from getpass import getpass

from proxy.cli.errors import CommandError
from proxy.operations.keys.new_key import check_key


def read_key(prompt: str) -> str:
    """Reads a line of standard input. On a terminal it prompts, and does not echo."""
    if sys.stdin is None:
        return ""
    try:
        return getpass(prompt, sys.stderr) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:  # Ctrl-D in place of a key
        return ""


def read_key_argument(argument: str | None, prompt: str, options: str) -> str | None:
    """A key as the argument has it, or from a line of standard input if the argument is `-`.

    Raises:
        CommandError: it is no UTF-8; the text names the options.
    """
    try:
        key = read_key(prompt) if argument == "-" else argument
        (key or "").encode()
    except UnicodeError as error:
        raise CommandError(f"{options}: must be UTF-8") from error
    return key


def require_key(hint: str = "") -> str:
    """Reads a key without the blanks around it.

    Raises:
        CommandError: there is none, or it is no text.
    """
    key = read_key("Key: ").strip()
    if not key:
        raise CommandError(f"no key on standard input{hint}")
    if problem := check_key(key):
        raise CommandError(f"no key on standard input: {problem}")
    return key
