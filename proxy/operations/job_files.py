"""The blobs of a job: its outputs, the beginning of its error log, and the data that was sent for it.

A row can name any blob. Those of the program's own containers are read only where they are of the row's account.
"""

import re
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS, OpenedBlob
from adapters.model.jobs import BlobPath, JobRecord
from adapters.tables.leased_jobs import HeldJob
from proxy.operations.errors import OperationError
from proxy.operations.job_views import read_work
from proxy.wire.links import OutputName, list_outputs

NOT_OF_THE_ACCOUNT = "The row names a blob that is not this account's, so the console does not read it."
OUTPUT_GONE = "The output is not there any more: its blob was deleted."
NO_SUCH_OUTPUT = "The job has no output of this name."

MOST_LINES = 100
LONGEST_LINE = 500
"""Characters of a line that are shown."""

LOG_BYTES = 256 * 1024
"""Bytes of an error log in which its first lines are looked for."""

# What a worker put out: account, job, attempt, name. Other programs put blobs into the container too.
_WORKERS_OUTPUT = re.compile(r"(?P<account>[^/]+)/[0-9a-f]{32}/[0-9a-f]{12}/[^/]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class JobFile:
    """A blob that a job's row names.

    Args:
        name: `succeeded`, `failed` or `upload`.
        path: where it is.
        size: its size in bytes; None where it is gone or not this account's.
        refusal: why it is not read; None where it may be.
    """

    name: str
    path: BlobPath
    size: int | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class LogBeginning:
    """The first lines of an error log. `is_cut`: there are more, or some are longer."""

    lines: tuple[str, ...]
    is_cut: bool


async def list_files(account: AccountStorage, held: HeldJob, others: Collection[str]) -> list[JobFile]:
    """A job's outputs, and its upload if it has one.

    Args:
        account: the job's account.
        held: the job.
        others: the names of the key ring's accounts; some may share the storage.
    """
    paths = list_outputs(held.record)
    files = [await _look_at(account, name, path, may_read(account.name, path, others)) for name, path in paths.items()]
    upload = read_work(held).get("upload")
    path = BlobPath.parse(upload) if isinstance(upload, str) else None
    if path is not None:
        is_own = path.container == UPLOADS and path.name.startswith(f"{account.name}/")
        files.append(await _look_at(account, "upload", path, is_own))
    return files


async def open_output(
    account: AccountStorage, record: JobRecord, name: str, others: Collection[str]
) -> tuple[BlobPath, OpenedBlob]:
    """Opens an output of a job.

    Raises:
        OperationError: the job has none of this name, or it is gone, or not this account's.
        StorageError: storage can't answer.
    """
    path = list_outputs(record).get(name)
    if path is None:
        raise OperationError(NO_SUCH_OUTPUT)
    if not may_read(account.name, path, others):
        raise OperationError(NOT_OF_THE_ACCOUNT)
    opened = await account.blobs.open(path)
    if opened is None:
        raise OperationError(OUTPUT_GONE)
    return path, opened


async def read_log(account: AccountStorage, files: Collection[JobFile]) -> LogBeginning | None:
    """The first lines of the error log among a job's files; None where there is none to read."""
    log = next((each for each in files if each.name == OutputName.FAILED and each.size is not None), None)
    opened = None if log is None else await account.blobs.open(log.path)
    if opened is None:
        return None
    content = bytearray()
    async with aclosing(opened.chunks) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) >= LOG_BYTES:
                break
    text = content[:LOG_BYTES].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.splitlines()
    shown = tuple(line[:LONGEST_LINE] for line in lines[:MOST_LINES])
    is_cut = opened.size > LOG_BYTES or sum(map(len, shown)) < sum(map(len, lines))
    return LogBeginning(shown, is_cut)


def may_read(account: str, path: BlobPath, others: Collection[str]) -> bool:
    """Whether an output is the account's. Outputs are in the container of exports or in one of another program."""
    if path.container != EXPORTS:
        return path.container not in {UPLOADS, VERSIONS} and not path.container.startswith("$")
    name = path.name.replace("\\", "/")  # as storage does
    owner, match = name.partition("/")[0], _WORKERS_OUTPUT.fullmatch(name)
    return owner == account or (match is None and owner not in others)


def is_version_of(account: str, path: BlobPath) -> bool:
    """Whether the blob of a version is the account's."""
    return path.container == VERSIONS and path.name.startswith(f"{account}/")


async def _look_at(account: AccountStorage, name: str, path: BlobPath, is_own: bool) -> JobFile:  # noqa: FBT001 - of a private function
    if not is_own:
        return JobFile(name, path, refusal=NOT_OF_THE_ACCOUNT)
    return JobFile(name, path, await account.blobs.get_size(path))
