"""The command `worker`: does jobs until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import os
import signal
import socket
import tempfile
from argparse import Namespace
from pathlib import Path
from secrets import token_hex

from adapters.accounts import AccountRegistry
from proxy.bootstrap import start_background_tasks, storage_options
from proxy.formats.limits import LoadLimits
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.logs import configure_logs
from proxy.observability.metrics.server import serve_metrics
from proxy.observability.setup import Telemetry, build_telemetry
from proxy.settings import Settings, SettingsError, load_settings
from proxy.unknown_variables import unknown_variables
from proxy.version import PROGRAM, VERSION
from proxy.worker.attempt import UnfitError
from proxy.worker.job import WorkerContext, WorkerLimits
from proxy.worker.lease import STOP_SECONDS
from proxy.worker.metrics import WorkerMetrics
from proxy.worker.observer import JobObserver
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from proxy.worker.work_directory import keep_work_directory, work_directory
from proxy.worker.worker import Worker

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024


def run_worker(_options: Namespace) -> int:
    """Runs until a signal, then finishes its jobs or gives them back. Returns the exit status.

    Raises:
        SettingsError: the port of metrics is taken, or there is no folder for temporary files.
    """
    settings = load_settings()
    keyring = load_keyring(settings)
    configure_logs(settings.log_level, settings.log_format)
    _check_temporary()
    telemetry = build_telemetry(settings, worker=True)
    with serve_metrics(settings, telemetry.metrics):
        return asyncio.run(_work(settings, keyring, telemetry))


def worker_limits(settings: Settings) -> WorkerLimits:
    """Returns the limits of jobs."""
    size = settings.max_upload_mb * MEGABYTE
    return WorkerLimits(
        load=LoadLimits(settings.max_entities, size),
        upload_bytes=size,
        location_hosts=frozenset(settings.data_location_hosts),
        tries=settings.worker_tries,
        maps_items_per_job=settings.maps_items_per_job,
        keep_outputs_days=settings.keep_outputs_days,
        sums_usage=settings.usage != "off",
    )


def reader_limits(settings: Settings) -> ReaderLimits:
    """Returns the limits of the reader processes."""
    return ReaderLimits(settings.worker_memory_mb, settings.worker_job_seconds, settings.worker_jobs)


def _check_temporary() -> None:
    """Checks that temporary files go to TMPDIR. Python would silently use /tmp instead, which may be memory."""
    wanted = os.environ.get("TMPDIR")
    try:
        found = tempfile.gettempdir()
    except OSError:
        found = None
    if found is None or (wanted and Path(found) != Path(wanted).absolute()):
        raise SettingsError(f"TMPDIR: {wanted or 'not set'}; it must be a folder that the worker may write to")


def worker_name() -> str:
    """Returns the worker's name in rows: host, process id, and random digits, since process ids repeat."""
    return f"{socket.gethostname()}:{os.getpid()}:{token_hex(3)}"


async def _work(settings: Settings, keyring: KeyRing, telemetry: Telemetry) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ring = ActiveKeyRing(
        keyring, AccountRegistry(keyring.accounts, storage_options(settings, telemetry), maps=keyring.maps)
    )
    # An account that has left the ring is closed when its jobs are finished or given back.
    grace = STOP_SECONDS + 2 * settings.storage_timeout
    tasks = start_background_tasks(settings, ring, telemetry, grace_seconds=grace, signs_links=False)
    readers = ReaderPool(reader_limits(settings))
    observer = JobObserver() if telemetry.metrics is None else WorkerMetrics(telemetry.metrics)
    try:
        with work_directory() as folder:
            tasks.append(asyncio.create_task(keep_work_directory(folder)))
            await readers.warm()
            log.info("%s %s: working for %s accounts", PROGRAM, VERSION, len(ring.accounts.names))
            for warning in unknown_variables(os.environ, keyring.variables):
                log.warning("%s", warning)
            context = WorkerContext(worker_limits(settings), folder, readers, observer, worker_name())
            # Answers of Azure Maps are many small objects: collections that look at all loaded modules take longer than
            # parsing does.
            gc.collect()
            gc.freeze()
            await Worker(ring, context, VERSION).run(stop)
    except UnfitError as error:
        log.error("the worker ends, for no job can be done here: %s", error)  # noqa: TRY400 - its text says all
        return 1
    finally:
        await readers.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await ring.accounts.close()
    log.info("ended")
    return 0
