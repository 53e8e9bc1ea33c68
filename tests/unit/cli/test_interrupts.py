"""A second Ctrl-C ends a run at once, whatever the first one waits for."""

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, os, signal
from proxy.cli.interrupts import end_at_second_interrupt

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in its background ignores it

async def run():
    with end_at_second_interrupt("goes on there"):
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(600)
        finally:
            print("cancelled", flush=True)
            if {twice}:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(600)

asyncio.run(run())
"""


@pytest.mark.parametrize(("twice", "status", "said"), [(False, -2, ""), (True, 130, "goes on there\n")])
def test_the_first_cancels_and_the_second_ends_the_process(said: str, status: int, *, twice: bool) -> None:
    command = [sys.executable, "-c", SCRIPT.format(twice=twice)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (status, "cancelled\n")
    assert done.stderr == said or (not twice and done.stderr.endswith("KeyboardInterrupt\n"))
