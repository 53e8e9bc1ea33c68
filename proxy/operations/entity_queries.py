"""Queries the entities of a data source on this machine, by the engine that answers requests (query-api.md)."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.account import AccountStorage
from adapters.model.versions import DamagedVersionError
from adapters.version_cache import CacheUnavailableError, VersionCache, VersionMissingError
from proxy.operations.errors import OperationError
from proxy.operations.source_views import SourceView, VersionState, show_source
from proxy.operations.version_files import version_source
from proxy.query.answer import Answer
from proxy.query.areas import require_resolved
from proxy.query.engine import run_query
from proxy.query.errors import QueryError
from proxy.query.json_answer import render_json
from proxy.query.query import Query
from proxy.query.request import parse_request
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

MEGABYTE = 1024 * 1024

DEFAULT_TOP = 25
"""Entities, as of a request."""


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
        try:
            query = await asyncio.to_thread(_bind, wanted, version.entity_type, version.schema)
            handle = await self._cache.get(version_source(account, version))
            found = await asyncio.to_thread(_run, handle.version, query, view, version.entity_type)
        except QueryError as error:
            raise OperationError(str(error)) from None
        except VersionMissingError:
            raise OperationError("The version's entities were deleted meanwhile. Query again.") from None
        except (DamagedVersionError, CacheUnavailableError) as error:
            raise OperationError(f"The version can't be read: {error}.") from None
        return EntityPage(found, view)


def _bind(wanted: EntityQuery, entity_type: str, schema: str) -> Query:
    request = parse_request(entity_type, wanted.parameters)
    try:
        query = request.bind(Schema.from_json(schema))
    except ValueError as error:
        raise DamagedVersionError(f"its stored schema is {error}") from None
    require_resolved(query.area)
    # A request has at most 250 entities; a command prints as many as its user wants.
    return replace(query, top=wanted.top, skip=wanted.skip)


def _run(version: VersionFile, query: Query, view: SourceView, entity_type: str) -> tuple[Mapping[str, Any], ...]:
    source = view.source
    answer = Answer(
        base="", access_id=source.access_id, data_source=source.name, entity_type=entity_type, copyright="",
        now=source.created, guid="",
    )  # fmt: skip
    rendered = json.loads(render_json(run_query(version, query, lambda: None), answer))
    found = rendered["d"]["results"]
    return tuple({name: value for name, value in each.items() if name != "__metadata"} for each in found)
