"""Starts the command line: `python -m proxy`, and the console script `spatial-data-proxy`."""

import os
import signal
import sys


def run() -> int:
    """Runs the command of the arguments and returns its exit status."""
    # The first process of a container ignores a signal without a handler, and the imports take a second. The handler
    # ends the process at once, as the system does for any other process.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    from proxy.cli.main import main  # noqa: PLC0415 - after the handler

    return main()


if __name__ == "__main__":
    sys.exit(run())
