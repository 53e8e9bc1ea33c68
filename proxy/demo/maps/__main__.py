"""Runs the stand-in alone, on the port of loopback that the argument names: beside a demo in containers."""

import signal
import sys

from proxy.demo.maps.stand_in import start_stand_in


def run(arguments: list[str]) -> None:
    """Answers until SIGTERM or Ctrl-C."""
    (port,) = arguments
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # in the stand-in's thread too
    with start_stand_in(port=int(port)) as maps:
        print(f"the stand-in of Azure Maps answers at {maps.url}", flush=True)
        signal.sigwait(signals)


if __name__ == "__main__":
    run(sys.argv[1:])
