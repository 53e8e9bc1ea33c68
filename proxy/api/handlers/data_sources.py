"""What there is: all data sources, one, the public ones, and their entity types. Read from storage each time."""

from datetime import UTC, datetime

from adapters.tables.data_source_store import DataSource
from proxy.api.context import CallContext
from proxy.api.handlers.creation import now
from proxy.api.handlers.job_creation import data_source
from proxy.api.responses import RawDocument
from proxy.wire.envelope import Branding
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.namespaces import JSON_CONTENT, XML_CONTENT
from proxy.wire.parameters import shows_all_versions, wants_json
from proxy.wire.request import ApiCall
from proxy.wire.service_document import ATOM_CONTENT, ServiceDocument, render_atom, render_json
from proxy.wire.version_entries import version_entries, versions


async def data_sources(_call: ApiCall, caller: CallContext) -> RawDocument:
    """All data sources of the account that the key may see."""
    as_json = wants_json(caller.query.parameters)
    all_versions = shows_all_versions(caller.query.parameters)
    found = [entry for each in await _all(caller) for entry in version_entries(each, now(), all_versions=all_versions)]
    return _document(ServiceDocument(found, *_texts(caller), has_versions=all_versions), as_json=as_json)


async def public_data_sources(_call: ApiCall, caller: CallContext) -> RawDocument:
    """Those of them that are public and published (Get All Public Data Sources)."""
    as_json = wants_json(caller.query.parameters)
    public = (each for each in await _all(caller) if each.is_public and each.published is not None)
    found = [entry for each in public for entry in version_entries(each, now(), all_versions=False)]
    return _document(ServiceDocument(found, *_texts(caller), is_public_list=True), as_json=as_json)


async def one_data_source(call: ApiCall, caller: CallContext) -> RawDocument:
    """One data source, or all its versions."""
    as_json = wants_json(caller.query.parameters)
    all_versions = shows_all_versions(caller.query.parameters)
    found = list(version_entries(await _one(call, caller), now(), all_versions=all_versions))
    if not found:  # what was staged has ended, and nothing else was
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    shape = ServiceDocument(found, *_texts(caller), is_single=True, has_versions=all_versions)
    return _document(shape, as_json=as_json)


async def all_metadata(_call: ApiCall, caller: CallContext) -> RawDocument:
    """The entity types of all data sources that the key may see."""
    all_versions = shows_all_versions(caller.query.parameters)
    return _metadata(await _all(caller), all_versions=all_versions)


async def metadata(call: ApiCall, caller: CallContext) -> RawDocument:
    """The entity type of one data source, or of all its versions."""
    all_versions = shows_all_versions(caller.query.parameters)
    source = await _one(call, caller)
    if not versions(source, now()):
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    return _metadata([source], all_versions=all_versions)


async def _all(caller: CallContext) -> list[DataSource]:
    account = caller.account
    found = await account.datasource_guard.call(account.data_sources.all)
    return sorted((each for each in found if caller.grant.allows(each.name)), key=lambda each: each.name.lower())


async def _one(call: ApiCall, caller: CallContext) -> DataSource:
    source = await data_source(caller.account, call.name)
    if source is None or source.access_id.lower() != call.access_id.lower():
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    return source


def _metadata(sources: list[DataSource], *, all_versions: bool) -> RawDocument:
    # Entity types bring 40 MB of libraries with them, and few programs ever ask.
    from proxy.wire.edmx import metadata_entries, render_metadata  # noqa: PLC0415 - for that reason

    found = [each for source in sources for each in metadata_entries(source, now(), all_versions=all_versions)]
    return RawDocument(render_metadata(found), XML_CONTENT)


def _document(shape: ServiceDocument, *, as_json: bool) -> RawDocument:
    return RawDocument(render_json(shape), JSON_CONTENT) if as_json else RawDocument(render_atom(shape), ATOM_CONTENT)


def _texts(caller: CallContext) -> tuple[str, str]:
    """The copyright notice and the base of the links."""
    return Branding(caller.settings.copyright).copyright_of(datetime.now(UTC).year), caller.base
