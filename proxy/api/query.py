"""Answers queries of data sources: who may, which version, and then the engine in a thread (query-api.md).

Importing it loads Arrow and GEOS; `query_service` does at the first query.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.versions import DamagedVersionError, staged_version
from adapters.version_cache import CacheUnavailableError, VersionMissingError, VersionSource
from proxy.api.context import CallContext
from proxy.api.handlers.job_creation import data_source, now
from proxy.api.query_places import LocatedQuery, PlaceFinder
from proxy.api.query_service import QueryService
from proxy.api.responses import RawDocument
from proxy.keyring.keyring import DIGEST_PREFIX, KeyGrant, Role, hash_key
from proxy.observability.request_trace import CURRENT
from proxy.query.answer import Answer
from proxy.query.areas import require_resolved
from proxy.query.conversion import convert_blob
from proxy.query.engine import run_query
from proxy.query.errors import QueryError
from proxy.query.query import Query
from proxy.query.render import render
from proxy.query.request import Request, parse_request
from proxy.query.response_form import ResponseForm
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile
from proxy.wire.envelope import Branding
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import ApiCall

log = logging.getLogger(__name__)

# A query that takes long ends before the request's deadline does, so that its caller learns that storage is well.
SHARE_OF_DEADLINE = 0.9

# Schemas that are remembered: a text of up to 32,000 characters takes longer to read than most queries.
MAX_SCHEMAS = 64


async def answer_query(call: ApiCall, context: CallContext, service: QueryService) -> RawDocument:
    """Answers one query. Its checks have the order of the contract, section 3.

    Raises:
        ApiError: the key may not query this, something does not exist, a parameter is wrong, or the query takes long.
        StorageError: storage can't answer, or not in time.
    """
    deadline = time.monotonic() + context.settings.storage_timeout * SHARE_OF_DEADLINE
    places = PlaceFinder(context.account, deadline)
    try:
        for _ in range(2):
            # Where another version took its place after the row was read, the row names that one now.
            with suppress(VersionMissingError):
                return await _answer(call, context, service, places, deadline)
    except QueryError as error:
        raise ApiError(ErrorCode.BAD_QUERY, values={"text": str(error)}) from None
    except DamagedVersionError as error:
        _warn(context, "a version can't be read: %s", error)
        raise ApiError(ErrorCode.CORRUPT_RECORD) from None
    except CacheUnavailableError as error:
        _warn(context, "the cache of versions can't be used: %s", error)
        raise ApiError(ErrorCode.QUERY_UNAVAILABLE) from None
    _warn(context, "the blob of a version is gone")
    raise ApiError(ErrorCode.QUERY_UNAVAILABLE)


def may_query(source: DataSource, grant: KeyGrant, key: bytes) -> bool:
    """Whether a key of the data source's account may query it."""
    if not grant.allows(source.name):
        return False
    if source.is_public or source.query_key is None or grant.role is Role.MASTER:
        return True
    return source.query_key == f"{DIGEST_PREFIX}{hash_key(key).hex()}"


def version_source(account: AccountStorage, version: DataSourceVersion) -> VersionSource[VersionFile]:
    """Where a version's file comes from. Its own name within tells it from a file of another version."""
    name = f"{account.blob_url}/{version.blob}"

    def convert(blob: Path, file: Path) -> None:
        convert_blob(blob, file, name, Schema.from_json(version.schema))

    return VersionSource(
        account.blobs,
        account.blob_url,
        version.blob,
        convert,
        lambda file: VersionFile(file, name),
        account.circuit_breaker.observer,
    )


def _warn(context: CallContext, text: str, *values: object) -> None:
    trace = CURRENT.get()
    trace_id = None if trace is None else trace.trace_id
    log.warning(text, *values, extra={"trace_id": trace_id, "account": context.grant.account})


async def _answer(
    call: ApiCall, context: CallContext, service: QueryService, places: PlaceFinder, deadline: float
) -> RawDocument:
    source = await _find_source(call, context, service)
    parameters, has_maps = context.query.parameters, context.account.has_maps
    bind = partial(_bind, source, call.entity, parameters, has_maps=has_maps)
    version, request, query = await service.prepare(parameters, bind)
    located = await places.locate(query)
    answer = _describe_answer(context, service, source, version, request)
    work = partial(_run_and_render, located=located, answer=answer, form=request.form, deadline=deadline)
    return RawDocument(await _run(service, version_source(context.account, version), work), request.form.content_type)


async def _find_source(call: ApiCall, context: CallContext, service: QueryService) -> DataSource:
    account = context.account
    source = await service.rows.run((account, call.name.lower()), lambda: data_source(account, call.name))
    if source is None or source.access_id.lower() != call.access_id.lower():
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    if not may_query(source, context.grant, context.key):
        raise ApiError(ErrorCode.QUERY_KEY_NEEDED)
    return source


def _choose_version(source: DataSource, request: Request) -> DataSourceVersion:
    version = staged_version(source, now()) if request.is_staging else source.published
    if version is None:
        raise ApiError(ErrorCode.NO_SUCH_VERSION)
    if request.entity_type.lower() != version.entity_type.lower():
        raise ApiError(ErrorCode.NO_SUCH_ENTITY_TYPE)
    return version


def _bind(
    source: DataSource, entity: str, parameters: Mapping[str, str], *, has_maps: bool
) -> tuple[DataSourceVersion, Request, Query]:
    request = parse_request(entity, parameters)
    version = _choose_version(source, request)
    try:
        schema = _read_schema(version.schema)
    except ValueError as error:
        raise DamagedVersionError(f"its stored schema is {error}") from None
    query = request.bind(schema)
    if not has_maps:
        require_resolved(query.area)
    return version, request, query


_read_schema = lru_cache(MAX_SCHEMAS)(Schema.from_json)


def _describe_answer(
    context: CallContext, service: QueryService, source: DataSource, version: DataSourceVersion, request: Request
) -> Answer:
    return Answer(
        base=context.base,
        access_id=source.access_id,
        data_source=source.name,
        entity_type=version.entity_type,
        copyright=Branding(context.settings.query_copyright).format_copyright(datetime.now(UTC).year),
        now=now(),
        guid=service.guid,
        is_single=request.entity_id is not None,
    )


async def _run(
    service: QueryService, source: VersionSource[VersionFile], work: Callable[[VersionFile], bytes]
) -> bytes:
    """Runs work on a version, a second time where its file turns out to be damaged."""
    for is_last in (False, True):
        handle = await service.versions.get(source)
        try:
            return await service.run(partial(work, handle.version))
        except DamagedVersionError:
            service.versions.discard(handle)
            if is_last:
                raise
    raise AssertionError("unreachable")  # pragma: no cover - the last attempt returns or raises


def _run_and_render(
    version: VersionFile, *, located: LocatedQuery, answer: Answer, form: ResponseForm, deadline: float
) -> bytes:
    def check() -> None:
        if time.monotonic() > deadline:
            raise ApiError(ErrorCode.QUERY_TOO_LONG)

    check()  # it may have waited for a thread
    result = run_query(version, located.query, check, located.route)
    if answer.is_single and not result.ids:
        raise ApiError(ErrorCode.NO_SUCH_ENTITY)
    return render(result, answer, form)
