"""Lists data sources and their entity types: all, one, or the public ones. Reads them from storage each time."""

from datetime import UTC, datetime

from adapters.model.data_sources import DataSource
from adapters.model.versions import list_versions
from proxy.api.context import CallContext
from proxy.api.responses import RawDocument
from proxy.operations.job_creation import data_source, now
from proxy.wire.envelope import Branding
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.namespaces import JSON_CONTENT, XML_CONTENT
from proxy.wire.parameters import shows_all_versions, wants_json
from proxy.wire.request import ApiCall
from proxy.wire.service_document import ATOM_CONTENT, ServiceDocument, render_atom, render_json, version_entries


async def data_sources(_call: ApiCall, context: CallContext) -> RawDocument:
    """All data sources of the account that the key may see."""
    as_json, all_versions = wants_json(context.query.parameters), shows_all_versions(context.query.parameters)
    return _render(context, await _list(context), as_json=as_json, has_versions=all_versions)


async def public_data_sources(_call: ApiCall, context: CallContext) -> RawDocument:
    """Those of them that are public and published (Get All Public Data Sources)."""
    as_json = wants_json(context.query.parameters)
    public = [source for source in await _list(context) if source.is_public and source.published is not None]
    return _render(context, public, as_json=as_json, is_public_list=True)


async def one_data_source(call: ApiCall, context: CallContext) -> RawDocument:
    """One data source, or all its versions."""
    as_json, all_versions = wants_json(context.query.parameters), shows_all_versions(context.query.parameters)
    return _render(context, [await _get(call, context)], as_json=as_json, has_versions=all_versions, is_single=True)


async def all_metadata(_call: ApiCall, context: CallContext) -> RawDocument:
    """The entity types of all data sources that the key may see."""
    all_versions = shows_all_versions(context.query.parameters)
    return _render_metadata(await _list(context), all_versions=all_versions)


async def metadata(call: ApiCall, context: CallContext) -> RawDocument:
    """The entity type of one data source, or of all its versions."""
    all_versions = shows_all_versions(context.query.parameters)
    return _render_metadata([await _get(call, context)], all_versions=all_versions)


async def _list(context: CallContext) -> list[DataSource]:
    account = context.account
    sources = await account.data_source_breaker.call(account.data_sources.list_all)
    return sorted((each for each in sources if context.grant.allows(each.name)), key=lambda each: each.name.lower())


async def _get(call: ApiCall, context: CallContext) -> DataSource:
    source = await data_source(context.account, call.name)
    if source is None or source.access_id.lower() != call.access_id.lower():
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    if not list_versions(source, now()):  # its staged version has expired, and it has no other
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    return source


def _render(context: CallContext, sources: list[DataSource], *, as_json: bool, **shape: bool) -> RawDocument:
    """Renders the document; `shape` are flags of ServiceDocument."""
    all_versions = shape.get("has_versions", False)
    entries = [entry for each in sources for entry in version_entries(each, now(), all_versions=all_versions)]
    copyright_notice = Branding(context.settings.copyright).format_copyright(datetime.now(UTC).year)
    document = ServiceDocument(entries, copyright_notice, context.base, **shape)
    if as_json:
        return RawDocument(render_json(document), JSON_CONTENT)
    return RawDocument(render_atom(document), ATOM_CONTENT)


def _render_metadata(sources: list[DataSource], *, all_versions: bool) -> RawDocument:
    from proxy.wire.edmx import metadata_entries, render_metadata  # noqa: PLC0415 - loads 40 MB, for few requests

    entries = [entry for each in sources for entry in metadata_entries(each, now(), all_versions=all_versions)]
    return RawDocument(render_metadata(entries), XML_CONTENT)
