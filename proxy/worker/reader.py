"""The process that reads data for a worker, so that no file can stop the worker: `python -m proxy.worker.reader`.

It does one task after another. A task is a line of JSON on standard input; on standard output come lines with counts,
then one with the answer. Its memory is limited, and it ends with its worker, whatever it does then.
"""

import ctypes
import faulthandler
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from proxy.formats.schema import InvalidDataError
from proxy.worker.export_data import export_data
from proxy.worker.load_data import Told, load_data
from proxy.worker.reader_tasks import CRASH, LOCAL_ERRORS, ExportTask, LoadedVersion, LoadTask

PROGRESS_SECONDS = 0.2

# Bytes that libraries may reserve and not use, beside the memory that a reader may have. Arrow reserves some hundred
# megabytes for a load of many columns.
RESERVED = 2 * 1024**3

# Kilobytes that a process may have grown by before it makes way for a new one.
GROWTH = 32 * 1024

LONGEST_TEXT = 2_000
LONGEST_TRACEBACK = 8_000

# How libraries say that there is no memory, in errors of their own.
_NO_MEMORY = ("bad_alloc", "out of memory", "cannot allocate", "memory allocation failed")

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Does tasks until standard input ends. The arguments are the worker's process id and megabytes of memory."""
    worker, megabytes = map(int, sys.argv[1:])
    end_with(worker)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # sent to a whole group; the worker says when this process ends
    warnings.simplefilter("ignore")  # they quote customers' data
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pa.set_cpu_count(1)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    limit_memory(megabytes)
    grown = _memory().get("VmHWM", 0) + GROWTH
    for line in sys.stdin.buffer:
        progress = _Progress(answers)
        answer = do(json.loads(line), progress.tell)
        goes_on = 0 < _memory().get("VmHWM", 0) < grown
        answers.write(_line(progress.counts | answer | {"again": goes_on}))
        if not goes_on:
            return


def end_with(worker: int) -> None:
    """Lets the kernel end this process when the worker's ends. Other systems than Linux can't."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker:
        sys.exit(1)


def limit_memory(megabytes: int) -> None:
    """Bounds what this process may reserve. What it uses is watched by its worker, as long as that is not held up."""
    most = megabytes * 1024**2 + RESERVED
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def do(task: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Does one task; gives its answer, also where it fails: `error` then says in which way."""
    folder = Path(task["folder"])
    tempfile.tempdir = str(folder)  # what any library leaves behind is gone with the job
    try:
        with _crash_told(folder / CRASH):
            done = _WORK[task["kind"]]({name: value for name, value in task.items() if name != "kind"}, told)
        return {"done": None if done is None else asdict(done)}
    except Exception as error:  # noqa: BLE001 - whatever a file makes a parser raise is about the file
        return _failed(error)


@contextmanager
def _crash_told(file: Path) -> Iterator[None]:
    with file.open("wb") as out:
        faulthandler.enable(out)
        try:
            yield
        finally:
            faulthandler.disable()


_WORK: dict[str, Callable[[dict[str, Any], Told], LoadedVersion | None]] = {
    LoadTask.kind: lambda fields, told: load_data(LoadTask(**fields), told),
    ExportTask.kind: lambda fields, told: export_data(ExportTask(**fields), told),
}


def _failed(error: Exception) -> dict[str, Any]:
    causes = list(_causes(error))
    if any(map(_is_memory, causes)):
        return {"error": "memory"}
    local = next((each.errno for each in causes if isinstance(each, OSError) and each.errno in LOCAL_ERRORS), None)
    if local is not None:
        return {"error": "local", "errno": local}
    if isinstance(error, InvalidDataError):
        return {"error": "unusable", "text": str(error)[:LONGEST_TEXT]}
    text = "".join(traceback.format_exception(error))
    return {"error": "unforeseen", "text": text[-LONGEST_TRACEBACK:]}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_memory(error: BaseException) -> bool:
    # The texts of our own errors may quote data.
    return isinstance(error, MemoryError) or (
        not isinstance(error, InvalidDataError) and any(words in str(error).lower() for words in _NO_MEMORY)
    )


class _Progress:
    """Tells counts, not too often."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._next = time.monotonic() + PROGRESS_SECONDS
        self.counts = {"processed": 0, "failed": 0}

    def tell(self, processed: int, failed: int) -> None:
        self.counts = {"processed": processed, "failed": failed}
        if time.monotonic() >= self._next:
            self._answers.write(_line(self.counts))
            self._next = time.monotonic() + PROGRESS_SECONDS


def _line(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode() + b"\n"


def _memory() -> dict[str, int]:
    """Kilobytes by the names that Linux gives them; nothing elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    return {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}


if __name__ == "__main__":
    main()
