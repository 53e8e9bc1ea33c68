"""Starts the command `console` where the packages of its pages are installed."""

from argparse import Namespace
from importlib.util import find_spec
from pkgutil import resolve_name

from proxy.cli.errors import CommandError

PACKAGES = ("jinja2", "python_multipart", "msal", "jwt")
"""What the extra `console` brings."""


def start_console(options: Namespace) -> int:
    """Runs the console, and returns its exit status.

    Raises:
        CommandError: a package is missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CommandError(
            f"console: needs the packages {', '.join(missing)}; run: pip install 'spatial-data-proxy[console]'"
        )
    return int(resolve_name("proxy.cli.console:run_console")(options))
