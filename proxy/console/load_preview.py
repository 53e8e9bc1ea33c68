"""What is done with a sent file: it is read as its job will read it, and then handed to its job."""

import asyncio
import logging

from adapters.account import AccountStorage
from adapters.errors import ConflictError, StorageError
from adapters.model.data_sources import DataSourceVersion
from proxy.console.context import Console
from proxy.console.sent_files import SentFile
from proxy.operations.errors import OperationError
from proxy.operations.file_loads import FileLoads
from proxy.operations.job_files import is_version_of
from proxy.worker.attempt import as_sentence
from proxy.worker.job import JobAbortedError
from proxy.worker.jobs.load import find_base
from proxy.worker.reader_pool import ReaderKilledError, ReadingError
from proxy.worker.reader_tasks import BASE, PreviewTask

log = logging.getLogger(__name__)

READING_SECONDS = 120.0
"""The longest reading of a file for a preview. A worker has PROXY_WORKER_JOB_SECONDS."""

MEGABYTE = 1024 * 1024

TOO_SLOW = (
    f"The file was not read within {READING_SECONDS:g} seconds, so there is no preview. Load it by the API: a worker"
    " has more time, and its error log says the same."
)
BASE_GONE = "The version that this load updates was deleted meanwhile. Send the file again."
BASE_FOREIGN = "The blob of the version that this load updates is not this account's, so the console does not read it."
KILLED = "The process that reads the file was killed: this machine may be short of memory. Send the file again."
FAILED = "The console failed; its log says where."
NO_DISK = "There is no room for the file on the console's disk (TMPDIR), or the disk can't be used."


async def read_file(console: Console, file: SentFile) -> None:
    """Reads a file, and notes its preview, or why it can't be loaded: the text that the job would have."""
    try:
        async with asyncio.timeout(READING_SECONDS):
            file.preview = await _read(console, file)
    except (ReadingError, JobAbortedError) as error:
        file.problem = as_sentence(str(error))
        if isinstance(error, ReadingError) and error.details:
            fields = {"account": file.load.account, "more": error.details}
            log.error("a file for a load can't be read", extra=fields)  # noqa: TRY400 - the details are the reader's own
    except TimeoutError:
        file.problem = TOO_SLOW
    except ReaderKilledError:
        file.problem = KILLED
    except OSError:
        file.problem = NO_DISK
    except StorageError as error:
        file.problem = f"Storage: {error}. Send the file again."
    except Exception:
        log.exception("a file for a load can't be read", extra={"account": file.load.account})
        file.problem = FAILED
    await asyncio.to_thread(file.tidy)


async def _read(console: Console, file: SentFile) -> dict[str, object]:
    load, settings = file.load, console.settings
    account = console.accounts[load.account]
    base = find_base(load.request.operation, load.source, account.clock.now())
    if base is not None:
        await _download(account, base, file)
    task = PreviewTask(
        str(file.folder),
        load.request.input,
        settings.max_entities,
        settings.max_upload_mb * MEGABYTE,
        None if base is None else base.schema,
    )

    def count(processed: int, failed: int) -> None:
        file.processed, file.failed = processed, failed

    preview: dict[str, object] = await console.readers.run(task, count)
    return preview


async def _download(account: AccountStorage, base: DataSourceVersion, file: SentFile) -> None:
    if not is_version_of(account.name, base.blob):
        raise JobAbortedError(BASE_FOREIGN)
    if not await account.blobs.download_file(base.blob, file.folder / BASE):
        raise JobAbortedError(BASE_GONE)


async def create_job_of(console: Console, file: SentFile, who: str) -> None:
    """Hands a file to its job, and notes the job, or why there is none."""
    load = file.load
    try:
        account = console.accounts[load.account]
        file.job = await FileLoads(account, console.settings, who).load(file.data, load.request, load.query_key)
    except (OperationError, ConflictError) as error:
        file.refusal = f"No job was created: {error}"
    except StorageError as error:
        file.refusal = f"No job was created: storage: {error}."
    except Exception:
        log.exception("a load can't be created", extra={"account": load.account})
        file.refusal = FAILED
    finally:
        file.is_sending = False
    if file.job is not None:
        await asyncio.to_thread(file.delete)
