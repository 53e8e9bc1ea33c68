"""The process that reads data for a worker, so that no file can stop the worker: `python -m proxy.worker.reader`.

It does one task after another. Each line of standard input is a task in JSON. Standard output gets lines with counts,
then one with the result. The process has limited memory, and ends with its worker in any state.
"""

import ctypes
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from proxy.formats.schema import InvalidDataError
from proxy.worker.digest_data import digest_data
from proxy.worker.export_data import export_data
from proxy.worker.geocoding.reading import plan_items, write_job_outputs
from proxy.worker.geocoding.tasks import OutputTask, PlannedItems, PlanTask
from proxy.worker.load_data import load_data
from proxy.worker.preview_data import preview_data
from proxy.worker.reader_tasks import (
    CRASH,
    LOCAL_ERRORS,
    DigestTask,
    EntityDigest,
    ExportTask,
    LoadedVersion,
    LoadPreview,
    LoadTask,
    PreviewTask,
    ReportProgress,
)

# Bytes of address space that libraries may reserve without using it, on top of the memory limit. Arrow reserves
# 450 MB for a load of 343 columns that uses 170 MB.
RESERVED = 2 * 1024**3

MAX_TEXT = 2_000
MAX_TRACEBACK = 8_000

# How libraries report in their own errors that memory is short.
_NO_MEMORY = ("bad_alloc", "out of memory", "cannot allocate", "memory allocation failed")

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Does tasks until standard input ends. The arguments are the worker's process id and its memory limit in MB."""
    worker, megabytes = map(int, sys.argv[1:])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # the kernel kills this process with its worker
    if os.getppid() != worker:
        return  # the worker ended before the call above
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a signal to the process group; the worker decides when this one ends
    warnings.simplefilter("ignore")  # they quote customers' data
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pa.set_cpu_count(1)
    results = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # the prints of a library are no results
    limit_memory(megabytes)

    def report(processed: int, failed: int) -> None:
        counts.update(processed=processed, failed=failed)
        results.write(json.dumps(counts).encode() + b"\n")

    gc.freeze()  # collections need not look at all loaded modules
    for line in sys.stdin.buffer:
        counts = {"processed": 0, "failed": 0}
        result = do(json.loads(line), report)
        results.write(json.dumps(counts | result).encode() + b"\n")


def limit_memory(megabytes: int) -> None:
    """Limits what this process may reserve. The worker watches what it uses, but the worker may be delayed."""
    most = megabytes * 1024**2 + RESERVED
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def do(task: Mapping[str, Any], report: ReportProgress) -> dict[str, Any]:
    """Does one task.

    Returns:
        The result as `done`; after a failure its kind as `error`, and what describes it.
    """
    folder = Path(task["folder"])
    tempfile.tempdir = str(folder)  # the files that a library leaves behind end with the job
    try:
        with (folder / CRASH).open("wb") as crash:
            faulthandler.enable(crash)
            try:
                done = _TASKS[task["kind"]]({name: value for name, value in task.items() if name != "kind"}, report)
            finally:
                faulthandler.disable()
        return {"done": None if done is None else asdict(done)}
    except Exception as error:  # noqa: BLE001  any error of a parser is about the file
        return _describe(error)


_Result = LoadedVersion | LoadPreview | EntityDigest | PlannedItems | None

_TASKS: dict[str, Callable[[dict[str, Any], ReportProgress], _Result]] = {
    LoadTask.kind: lambda fields, report: load_data(LoadTask(**fields), report),
    PreviewTask.kind: lambda fields, report: preview_data(PreviewTask(**fields), report),
    ExportTask.kind: lambda fields, report: export_data(ExportTask(**fields), report),
    DigestTask.kind: lambda fields, report: digest_data(DigestTask(**fields), report),
    PlanTask.kind: lambda fields, report: plan_items(PlanTask(**fields), report),
    OutputTask.kind: lambda fields, report: write_job_outputs(OutputTask(**fields), report),
}


def _describe(error: Exception) -> dict[str, Any]:
    for cause in _causes(error):
        if isinstance(cause, InvalidDataError):
            continue  # its text may quote data
        if isinstance(cause, MemoryError) or any(words in str(cause).lower() for words in _NO_MEMORY):
            return {"error": "memory"}
        if isinstance(cause, OSError) and cause.errno in LOCAL_ERRORS:
            return {"error": "local", "errno": cause.errno}
    if isinstance(error, InvalidDataError):
        return {"error": "invalid", "text": str(error)[:MAX_TEXT]}
    return {"error": "unforeseen", "text": "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


if __name__ == "__main__":
    main()
