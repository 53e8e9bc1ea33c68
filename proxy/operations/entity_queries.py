"""Queries the entities of a data source on this machine, by the engine that answers requests (query-api.md)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.versions import DamagedVersionError
from adapters.version_cache import CacheUnavailableError, VersionCache, VersionHandle, VersionMissingError
from proxy.operations.errors import OperationError
from proxy.operations.job_files import is_version_of
from proxy.operations.source_views import SourceView, VersionState, show_source
from proxy.operations.version_files import version_source
from proxy.query.answer import Answer
from proxy.query.areas import NearAddress, NearRoute
from proxy.query.engine import Check, run_query
from proxy.query.errors import QueryError
from proxy.query.json_answer import render_json
from proxy.query.query import Query
from proxy.query.request import parse_request
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

MEGABYTE = 1024 * 1024

DEFAULT_TOP = 25
"""Entities, as of a request."""

BILLED = (
    "The area has an address or a route, which a map service would look up for a price. Only requests do that."
    " Allowed: nearby(latitude,longitude,km), bbox(south,west,north,east) or intersects('..')."
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """A query of a data source.

    Args:
        parameters: those of a request, by their names in lower case: `$filter`, `spatialfilter`, `$select`, `$orderby`.
        top: the most entities.
        skip: entities that are passed over.
        state: of which version; the published one by default.
    """

    parameters: Mapping[str, str]
    top: int = DEFAULT_TOP
    skip: int = 0
    state: VersionState = VersionState.PUBLISHED


@dataclass(frozen=True, slots=True)
class EntityPage:
    """The entities that were found, in the order of the query.

    Args:
        entities: each as the JSON of requests has it, without `__metadata`.
        view: the data source as it was read.
    """

    entities: tuple[Mapping[str, Any], ...]
    view: SourceView


@dataclass(frozen=True, slots=True)
class OpenedVersion:
    """A version that queries can read; it stays readable as long as this is held."""

    source: DataSource
    version: DataSourceVersion
    schema: Schema
    handle: VersionHandle[VersionFile]

    @property
    def file(self) -> VersionFile:
        """Its entities."""
        return self.handle.version


class EntityQueries:
    """Runs queries on one cache of versions."""

    def __init__(self, cache: VersionCache[VersionFile]) -> None:
        """The cache's owner closes it."""
        self._cache = cache

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, max_mb: int) -> AsyncIterator["EntityQueries"]:
        """Opens a cache of at most so many megabytes in a folder that other processes may share."""
        cache: VersionCache[VersionFile] = VersionCache(folder, max_mb * MEGABYTE)
        try:
            yield cls(cache)
        finally:
            cache.close()

    async def run(self, account: AccountStorage, name: str, wanted: EntityQuery) -> EntityPage:
        """Runs a query.

        Raises:
            OperationError: there is no such data source or version, a parameter is wrong, or the version can't be read.
            StorageError: storage can't answer.
        """
        view = await show_source(account, name)
        version = view.of(wanted.state)
        if version is None:
            raise OperationError(f"The data source {view.source.name} has no {wanted.state} version.")
        opened = await self.open_version(account, view.source, version)

        def find(file: VersionFile) -> tuple[Mapping[str, Any], ...]:
            query = replace(bind_query(opened, wanted.parameters), top=wanted.top, skip=wanted.skip)
            return _run(file, query, opened)

        return EntityPage(await self.use(opened, find), view)

    async def open_version(
        self, account: AccountStorage, source: DataSource, version: DataSourceVersion
    ) -> OpenedVersion:
        """Opens a version of a data source; fetches it where this machine does not have it.

        Raises:
            OperationError: its entities are gone, or can't be read.
            StorageError: storage can't answer.
        """
        if not is_version_of(account.name, version.blob):
            raise OperationError("The version can't be read: its blob is not this account's.")
        try:
            schema = Schema.from_json(version.schema)
        except ValueError as error:
            raise OperationError(f"The version can't be read: its stored schema is {error}.") from None
        try:
            handle = await self._cache.get(version_source(account, version))
        except VersionMissingError:
            raise OperationError("The version's entities were deleted meanwhile. Query again.") from None
        except (DamagedVersionError, CacheUnavailableError) as error:
            raise _unreadable(error) from None
        return OpenedVersion(source, version, schema, handle)

    async def use(self, opened: OpenedVersion, work: Callable[[VersionFile], _T]) -> _T:
        """Runs work on an opened version in a thread.

        Raises:
            OperationError: a parameter of a query is wrong, or the version can't be read; it is then fetched anew by
                the next one that opens it.
        """
        try:
            return await asyncio.to_thread(work, opened.file)
        except QueryError as error:
            raise OperationError(str(error)) from None
        except DamagedVersionError as error:
            self._cache.discard(opened.handle)
            raise _unreadable(error) from None


def bind_query(opened: OpenedVersion, parameters: Mapping[str, str]) -> Query:
    """The query of parameters, which are named in lower case.

    Raises:
        QueryError: a parameter is wrong, or names a place that a map service would look up.
    """
    request = parse_request(opened.version.entity_type, parameters)
    if isinstance(request.area, NearAddress | NearRoute):
        raise QueryError(BILLED)
    return request.bind(opened.schema)


def end_after(seconds: float) -> Check:
    """Ends the work that calls it when the seconds are over, by OperationError."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > deadline:
            raise OperationError(f"The query took longer than {seconds:.0f} seconds. Ask for less.")

    return check


def _run(file: VersionFile, query: Query, opened: OpenedVersion) -> tuple[Mapping[str, Any], ...]:
    source = opened.source
    answer = Answer(
        base="", access_id=source.access_id, data_source=source.name, entity_type=opened.version.entity_type,
        copyright="", now=source.created, guid="",
    )  # fmt: skip
    rendered = json.loads(render_json(run_query(file, query, lambda: None), answer))
    found = rendered["d"]["results"]
    return tuple({name: value for name, value in each.items() if name != "__metadata"} for each in found)


def _unreadable(error: Exception) -> OperationError:
    return OperationError(f"The version can't be read: {error}.")
