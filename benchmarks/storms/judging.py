"""Compares what is stored after a storm with what its jobs should have stored."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.model.data_sources import DataSourceVersion
from adapters.model.jobs import BlobPath
from benchmarks.storms.clients import Client
from benchmarks.storms.model import Content, Expected
from proxy.formats.parquet import read_entities
from proxy.worker import cleanup
from tests.support.storage import Storage

MISHAP = re.compile(r"Traceback|[Ii]nternal error|unforeseen|NoneType")
NOT_CREATED = (cleanup.NOT_CREATED, "The job was not handed to a worker, and its caller was told so.")
_ENTITY = re.compile(r"<Id>(.*?)</Id>\s*<Note>(.*?)</Note>")


@dataclass
class Found:
    """The results of a storm. Each text of `wrong` begins with its kind."""

    jobs: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    busy_kills: int = 0
    reader_kills: int = 0
    versions: int = 0
    downloads: int = 0
    quiet_after: float = 0
    """Seconds from the last kill and fault until no job was unfinished."""
    worker_mb: float = 0
    reader_mb: float = 0

    def of(self, kind: str) -> int:
        """The number of wrong things of a kind."""
        return sum(text.startswith(kind) for text in self.wrong)


async def check(storage: Storage, account: AccountStorage, clients: list[Client], folder: Path, found: Found) -> None:
    rows = {
        row["RowKey"]: dict(row)
        for row in storage.table.query_entities(f"PartitionKey eq '{account.name}'")
        if "JobType" in row
    }
    for client in clients:
        expected = Expected()
        own = [row for _, row in sorted(rows.items()) if row["DataSourceName"] == client.name]
        for row in own:
            await _judge(row, expected, client, folder, found)
        found.wrong += [
            f"lost: job {job_id} was answered and has no row" for job_id in client.answered if job_id not in rows
        ]
        deletes = sum(row["JobType"] == "DataSourceDelete" and not _is_not_created(row) for row in own)
        if deletes < client.deletes:
            found.wrong.append(f"lost: {client.deletes} deletes of {client.name} were answered, {deletes} done")
        await _compare(client, expected, folder, found)
    with _all_is_old():
        await cleanup.clean_up(account)
    await _find_orphans(account, rows, found)


async def _judge(row: dict[str, Any], expected: Expected, client: Client, folder: Path, found: Found) -> None:
    """Checks how a job ended, and applies its effect to `expected`."""
    status, reason, is_answered = row["Status"], str(row.get("ErrorMessage") or ""), row["RowKey"] in client.answered
    job = f"{row['JobType']} {row['RowKey']} of {client.name}: {status} {reason}"
    found.jobs[f"{row['JobType']} {status}"] += 1
    if MISHAP.search(reason):
        found.wrong.append(f"internal: {job}")
    if not is_answered and _is_not_created(row):
        found.jobs["answered by an error, and ended"] += 1
        return
    if not is_answered and row["JobType"] != "DataSourceDelete":
        found.jobs["answered by an error, and done all the same"] += 1
    why_not = expected.do(row, json.loads(row["Work"]), client.sent.get(row.get("Description") or ""))
    if why_not is not None:
        if status != "Aborted" or why_not not in reason:
            found.wrong.append(f"wrong: {job}; expected: {why_not}")
    elif status != "Completed":
        found.wrong.append(f"lost: {job}")
    elif row["JobType"] == "DataSourceDownload":
        found.downloads += 1
        content = await _downloaded(client.account, row["OutputBlob"], folder)
        assert expected.published is not None
        if content != expected.published[1]:
            found.wrong.append(f"wrong: {job}: the output is not of the version that was there")


def _is_not_created(row: dict[str, Any]) -> bool:
    return row["Status"] == "Aborted" and str(row.get("ErrorMessage")).startswith(NOT_CREATED)


async def _downloaded(account: AccountStorage, blob: str, folder: Path) -> Content | None:
    path, file = BlobPath.parse(blob), folder / "downloaded"
    if path is None or not await account.blobs.download_file(path, file):
        return None
    pairs = _ENTITY.findall(file.read_text(encoding="utf-8"))
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


async def _compare(client: Client, expected: Expected, folder: Path, found: Found) -> None:
    """The data source's row and the content of each version are as its jobs made them."""
    source = await client.account.data_sources.get(client.name)
    there = (
        [("published", source.published), ("staged", source.staged), *(("earlier", each) for each in source.earlier)]
        if source is not None
        else []
    )
    has = [(name, None if each is None else each.job_id) for name, each in there]
    must = [
        ("published", expected.published and expected.published[0]),
        ("staged", expected.staged and expected.staged[0]),
        *(("earlier", each[0]) for each in expected.earlier),
    ]
    if has != (must if expected.is_there else []):
        found.wrong.append(f"wrong: {client.name} of {client.account.name} has {has}, expected {must}")
        return
    contents = [expected.published, expected.staged, *expected.earlier]
    for (name, version), content in zip(there, contents, strict=False):
        if version is not None and content is not None:
            found.versions += 1
            if await _entities(client.account, version, folder) != content[1]:
                found.wrong.append(f"wrong: {client.name} of {client.account.name}: the entities of {name}")


async def _entities(account: AccountStorage, version: DataSourceVersion, folder: Path) -> Content | None:
    file = folder / "version.parquet"
    if not await account.blobs.download_file(version.blob, file):
        return None
    rows = [row for batch in read_entities(file) for row in batch.to_pylist()]
    content = {row["Id"]: row["Note"] for row in rows}
    return content if len(content) == len(rows) == version.entities else None


async def _find_orphans(account: AccountStorage, rows: dict[str, dict[str, Any]], found: Found) -> None:
    sources = await account.data_sources.list_all()
    used = {str(each.blob) for source in sources for each in _versions(source)}
    used |= {str(row[name]) for row in rows.values() for name in ("OutputBlob", "FailedBlob") if row.get(name)}
    for container in (UPLOADS, VERSIONS, EXPORTS):
        paths = {str(path) for path in await account.blobs.list_blobs(container, f"{account.name}/")}
        found.wrong += [f"orphan: {path}" for path in sorted(paths - used)]


def _versions(source: Any) -> list[DataSourceVersion]:
    return [each for each in (source.published, source.staged, *source.earlier) if each is not None]


@contextmanager
def _all_is_old() -> Iterator[None]:
    """Lets the clean-up delete what it otherwise keeps for a day."""
    before = cleanup.ORPHAN_GRACE, cleanup.RETRY_GRACE
    cleanup.ORPHAN_GRACE, cleanup.RETRY_GRACE = 0, 0
    try:
        yield
    finally:
        cleanup.ORPHAN_GRACE, cleanup.RETRY_GRACE = before
