"""Files that operators have sent to look at before they load them: one a session, a few in all, for an hour."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from adapters.model.data_sources import DataSource
from adapters.model.jobs import JobRecord
from proxy.console.errors import PageNotFoundError, RequestRefusedError
from proxy.wire.parameters import LoadRequest
from proxy.worker.reader_tasks import DATA, FAILURES

MOST_FILES = 4
"""Files that are kept at once. The oldest goes where another comes."""

MOST_RECEIVED = 2
"""Files that are received at once."""

TURN_SECONDS = 15.0
"""How long a file waits for others to come. Its sender counts as slow soon after (body_limit)."""

KEPT_SECONDS = 3600.0

GONE = (
    "The file is not here any more. The console keeps one file of a session, for an hour, and removes the oldest where"
    " several operators send files. Send it again."
)
ALL_BUSY = "Other files are being loaded just now. Wait until they are, and send yours again."

_KEPT = {DATA, FAILURES}


class NoTurnError(Exception):
    """Too many files are on their way here."""

    def __init__(self) -> None:
        super().__init__("Other files are being sent just now. Wait until they have come, and send yours again.")


@dataclass(frozen=True, slots=True)
class SentLoad:
    """What an operator wants to load.

    Args:
        account: the account's name.
        request: the parameters of the load.
        query_key: the digest of the key that may query the data source.
        source: the data source as it was when the file came; None where the load creates it.
        file_name: the name that the operator's browser gives.
    """

    account: str
    request: LoadRequest
    query_key: str | None
    source: DataSource | None
    file_name: str


@dataclass(eq=False)
class SentFile:
    """A file, and what is known of it.

    Attributes:
        processed, failed: entities that were read so far, and those of them that failed.
        preview: the members of a `LoadPreview` once all was read.
        problem: why it can't be loaded.
        refusal: why no job was created when the operator asked for it. It may be asked for again.
        is_sending: whether its job is being created.
        job: the job that loads it.
    """

    id: str
    session: str
    folder: Path
    size: int
    load: SentLoad
    processed: int = 0
    failed: int = 0
    preview: Mapping[str, Any] | None = None
    problem: str | None = None
    refusal: str | None = None
    job: JobRecord | None = None
    is_sending: bool = False
    _task: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """The file itself."""
        return self.folder / DATA

    @property
    def error_log(self) -> Path:
        """The lines on entities that failed, as the job writes them; it may be missing."""
        return self.folder / FAILURES

    @property
    def is_busy(self) -> bool:
        """Whether it is being read, or handed to storage."""
        return self._task is not None and not self._task.done()

    async def start(self, work: Coroutine[Any, Any, None], patience: float) -> None:
        """Starts work on the file, and waits for its end for so many seconds."""
        self._task = asyncio.create_task(work)
        await asyncio.wait({self._task}, timeout=patience)

    async def cancel(self) -> None:
        """Ends work that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def tidy(self) -> None:
        """Removes what reading has left behind beside the error log: the entities, which are as large as the file."""
        with suppress(FileNotFoundError):  # a later file may have taken its place meanwhile
            for each in self.folder.iterdir():
                if each.name not in _KEPT:
                    each.unlink()

    def delete(self) -> None:
        """Deletes the file, and what was made of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class SentFiles:
    """The files of a console's sessions, each in a folder of a random name. Nobody gets at another session's file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, SentFile] = {}
        self._expiring: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(MOST_RECEIVED)
        self._adding = asyncio.Lock()

    @asynccontextmanager
    async def take_turn(self) -> AsyncIterator[None]:
        """A turn for a file on its way here, which lies in a temporary file of its own until it has come.

        Raises:
            NoTurnError: too many others are on their way.
        """
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise NoTurnError from None
        try:
            yield
        finally:
            self._turns.release()

    def find(self, file_id: str, session: str) -> SentFile:
        """A session's file.

        Raises:
            PageNotFoundError: there is none, or it is gone.
        """
        found = self._files.get(file_id)
        if found is None or found.session != session:
            raise PageNotFoundError(GONE)
        return found

    async def add(self, session: str, load: SentLoad, folder: Path, size: int) -> SentFile:
        """Keeps a file, and removes the session's earlier one.

        Args:
            session: the session's token.
            load: what to load.
            folder: a folder of `make_folder` with the file in it.
            size: bytes of the file.

        Raises:
            RequestRefusedError: there is no room.
        """
        async with self._adding:  # two of one session would not see each other
            await self._make_room(session)
            added = SentFile(folder.name, session, folder, size, load)
            self._files[added.id] = added
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire, added.id)
        return added

    def make_folder(self) -> Path:
        """A new folder for a file."""
        folder = self._folder / f"load-{token_hex(16)}"
        folder.mkdir()
        return folder

    async def close(self) -> None:
        """Ends all work."""
        for file in [*self._files.values()]:
            await self._remove(file)

    async def _make_room(self, session: str) -> None:
        for file in [each for each in self._files.values() if each.session == session and not each.is_sending]:
            await self._remove(file)
        while len(self._files) >= MOST_FILES:
            oldest = next((each for each in self._files.values() if not each.is_sending), None)
            if oldest is None:
                raise RequestRefusedError(ALL_BUSY)
            await self._remove(oldest)

    async def _remove(self, file: SentFile) -> None:
        self._files.pop(file.id, None)
        await file.cancel()
        await asyncio.to_thread(file.delete)

    def _expire(self, file_id: str) -> None:
        file = self._files.get(file_id)
        if file is not None and file.is_sending:  # its job would be there, and nothing would say who made it
            asyncio.get_running_loop().call_later(TURN_SECONDS, self._expire, file_id)
        elif file is not None:
            task = asyncio.create_task(self._remove(file))
            self._expiring.add(task)  # the event loop keeps weak references only
            task.add_done_callback(self._expiring.discard)
