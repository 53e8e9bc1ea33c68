"""What a geocode job keeps in Blob Storage until it ends, so that any worker goes on from there.

| blob in `uploads/{account}/geocode/{job id}/` | |
|---|---|
| `plan.json` | the `Plan`; written once, when all of the next two are there |
| `{try}/data` | the file, where it was fetched from a `dataLocation`: it may change there |
| `{try}/{number}.jsonl` | the items of a group of chunks |
| `{number}.jsonl` | the answers to a chunk; written before the chunk counts as done |
| `{number}.{number}...jsonl` | the same of some chunks that were answered while storage was busy |
| `{number}-part.jsonl` | of a chunk that was cut short: the positions of some items, and their answers |
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from adapters.account import AccountStorage
from adapters.blobs.blocks import BLOCK
from adapters.blobs.store import UPLOADS
from adapters.model.geocoding import Answer
from adapters.model.jobs import BlobPath
from proxy.formats.geocode.checkpoints import decode_answers, encode_answers
from proxy.worker.parallel import run_all

FOLDER = "geocode"
DELETIONS = 8
"""At the same time."""
_PLAN = "plan.json"
_NUMBERS = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job asks.

    Attributes:
        data: the blob of the file.
        attempt: the attempt that has read it.
        rows: the number of its rows.
        items: the number of its different items.
        groups: the numbers of the chunks in each blob of items.
    """

    data: str
    attempt: str
    rows: int
    items: int
    groups: list[list[int]]

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return sum(map(len, self.groups))


@dataclass(frozen=True, slots=True)
class Progress:
    """The numbers of the chunks that have all their answers, those of one blob together; and of those with some."""

    written: list[tuple[int, ...]]
    begun: set[int]


class Checkpoints:
    """The blobs of one job. Every method raises StorageError where storage can't answer."""

    def __init__(self, account: AccountStorage, job_id: str) -> None:
        self._blobs = account.blobs
        self._prefix = f"{account.name}/{FOLDER}/{job_id}/"

    async def read_plan(self) -> Plan | None:
        """The plan; None before the file was read."""
        content = await self._blobs.get(self._path(_PLAN))
        return None if content is None else Plan(**json.loads(content))

    async def write_plan(self, plan: Plan) -> Plan:
        """Writes the plan. Where another attempt was quicker, returns that one's."""
        content = json.dumps(asdict(plan)).encode()
        is_first = await self._blobs.put_new(content, self._path(_PLAN))
        return plan if is_first else await self.read_plan() or plan

    def data_path(self, attempt: str) -> BlobPath:
        """The blob of a file that was fetched."""
        return self._path(f"{attempt}/data")

    async def write_items(self, file: Path, attempt: str, group: int) -> None:
        """Writes a group of chunks: by one request, unless its items are uncommonly long."""
        path = self._items_path(attempt, group)
        if (await asyncio.to_thread(file.stat)).st_size <= BLOCK:
            await self._blobs.put(await asyncio.to_thread(file.read_bytes), path)
        else:
            await self._blobs.upload_file(file, path)

    async def read_items(self, plan: Plan, group: int) -> bytes | None:
        """A group of chunks."""
        return await self._blobs.get(self._items_path(plan.attempt, group))

    async def write_answers(self, answers: Mapping[int, bytes]) -> None:
        """Writes the answers to some chunks, by their numbers; each ends with a line break."""
        name = ".".join(f"{number:06d}" for number in answers)
        sizes = [content.count(b"\n") for content in answers.values()]
        head = b"" if len(answers) == 1 else json.dumps(sizes).encode() + b"\n"
        await self._blobs.put(head + b"".join(answers.values()), self._path(f"{name}.jsonl"))

    async def read_answers(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """The answers of one `write_answers`; none where there are none."""
        name = ".".join(f"{number:06d}" for number in numbers)
        content = await self._blobs.get(self._path(f"{name}.jsonl"))
        if content is None:
            return {}
        if len(numbers) == 1:
            return {numbers[0]: content}
        head, *lines = content.splitlines(keepends=True)
        left = iter(lines)
        return {number: b"".join(islice(left, size)) for number, size in zip(numbers, json.loads(head), strict=True)}

    async def write_part(self, number: int, answers: Mapping[int, Answer]) -> None:
        """Writes some of the answers to a chunk, by the positions of their items."""
        content = json.dumps([*answers]).encode() + b"\n" + encode_answers(answers.values())
        await self._blobs.put(content, self._part_path(number))

    async def read_part(self, number: int) -> dict[int, Answer]:
        """The answers of `write_part`; none where there are none."""
        content = await self._blobs.get(self._part_path(number))
        if content is None:
            return {}
        positions, _, answers = content.partition(b"\n")
        return dict(zip(json.loads(positions), decode_answers(answers), strict=True))

    async def list_progress(self) -> Progress:
        """What is done."""
        found = await self._blobs.list_names(UPLOADS, self._prefix)
        names = [name.removeprefix(self._prefix).removesuffix(".jsonl") for name in found]
        parts = [name.removesuffix("-part") for name in names if name.endswith("-part")]
        written = [tuple(map(int, name.split("."))) for name in names if _NUMBERS.fullmatch(name)]
        return Progress(written, {int(name) for name in parts})

    async def delete(self) -> None:
        """Deletes all of them. The job has ended, so nobody reads them."""
        found = list(await self._blobs.list_blobs(UPLOADS, self._prefix))
        await run_all((self._blobs.delete(path) for path in found), DELETIONS)

    def _items_path(self, attempt: str, group: int) -> BlobPath:
        return self._path(f"{attempt}/{group:06d}.jsonl")

    def _part_path(self, number: int) -> BlobPath:
        return self._path(f"{number:06d}-part.jsonl")

    def _path(self, name: str) -> BlobPath:
        return BlobPath(UPLOADS, self._prefix + name)
