"""Tries some files of a fuzz; prints what came of them as JSON, and what was wrong on standard error."""

import argparse
import faulthandler
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from benchmarks.fuzz.files import broken
from benchmarks.fuzz.tally import Tally
from benchmarks.fuzz.trial import attempt, memory_mb
from proxy.worker.reader import limit_memory

HANG_SECONDS = 60

# Files are many and small; a disk that others use too would be what is measured.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there


def main() -> None:
    """Tries the files from one number to before another, with the memory of a reader process."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("first", type=int)
    options.add_argument("end", type=int)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--memory", type=int, default=512, help="megabytes")
    chosen = options.parse_args()
    pa.set_cpu_count(1)
    limit_memory(chosen.memory)
    tally = Tally()
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        for number in range(chosen.first, chosen.end):
            # The last one that is seen, should it end this process.
            print(number, end="\r", file=sys.stderr, flush=True)
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
            file = broken(number, chosen.seed)
            outcome = attempt(file, Path(folder))
            faulthandler.cancel_dump_traceback_later()
            tally.add(number, file.kind, outcome)
    tally.memory_mb = memory_mb()
    print(tally.to_json())


if __name__ == "__main__":
    main()
