"""What the queries of a process share. It is light: the engine itself is loaded by the first query."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from starlette.responses import Response

from adapters.cache_folder import default_folder
from adapters.request_coalescing import PacedReads
from adapters.version_cache import VersionCache
from proxy.api.context import CallContext
from proxy.api.responses import RawDocument
from proxy.query.response_form import SCRIPT_CONTENT, find_callback
from proxy.settings import Settings
from proxy.wire.request import ApiCall, Format, QueryParameters

if TYPE_CHECKING:
    from proxy.query.version_file import VersionFile

MEGABYTE = 1024 * 1024

# Threads that run queries. NumPy, Arrow and GEOS release the interpreter; parsing and rendering do not.
THREADS = 4

# Characters of parameters up to which a request is parsed at once: in a thread it would wait longer than it takes.
MAX_INLINE_CHARACTERS = 1_000

# Seconds from the start of a read of a row, within which a later query waits and shares the next with others.
ROW_INTERVAL = 0.002

_ENGINE = "proxy.api.query"

_T = TypeVar("_T")


def wrap_error(response: Response, query: QueryParameters) -> Response:
    """An error as the argument of the caller's function, where the caller names one (query-api.md, 2.3)."""
    given = {name: value for name, value in query.parameters.items() if value}
    callback = find_callback(given) if query.format is Format.JSON else None
    if callback is None:
        return response
    response.body = callback.wrap(bytes(response.body))
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Type"] = SCRIPT_CONTENT
    return response


class QueryService:
    """The cache of versions and the threads."""

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        """Takes nothing until the first query. `folder` is where the files of versions are."""
        max_bytes = settings.query_cache_mb * MEGABYTE
        self.versions: VersionCache[VersionFile] = VersionCache(folder or default_folder(), max_bytes)
        self.rows = PacedReads(ROW_INTERVAL)
        """Reads of data sources' rows. Each query needs one that begins after it came, so that it sees each publish."""
        self.guid = str(uuid4())
        """Tells the feeds of this process from those of others."""
        self._threads = ThreadPoolExecutor(THREADS, "query")
        self._is_loaded = False

    async def answer(self, call: ApiCall, context: CallContext) -> RawDocument:
        """Answers one query."""
        if not self._is_loaded:
            await self.run(lambda: import_module(_ENGINE))
            self._is_loaded = True
        answer: Callable[[ApiCall, CallContext, QueryService], Awaitable[RawDocument]]
        answer = import_module(_ENGINE).answer_query
        return await answer(call, context, self)

    async def run(self, work: Callable[[], _T]) -> _T:
        """Runs work in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def prepare(self, parameters: Mapping[str, str], work: Callable[[], _T]) -> _T:
        """Runs work that takes as long as the parameters are: in a thread if they are many."""
        is_short = sum(map(len, parameters.values())) <= MAX_INLINE_CHARACTERS
        return work() if is_short else await self.run(work)

    def close(self) -> None:
        """Ends fetches, and gives up the queries that wait."""
        self.versions.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
