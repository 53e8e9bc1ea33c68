"""Lists data sources as an AtomPub service document or as JSON (Get Data Source Information)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.model.data_sources import DataSource
from adapters.model.job_ids import created_at, is_job_id
from adapters.model.ticks import Ticks
from adapters.model.versions import list_versions
from proxy.text import strip_invalid_xml
from proxy.wire.dates import format_rfc1123, format_utc_seconds
from proxy.wire.links import quote_segment
from proxy.wire.xml_renderer import escape_attribute, escape_text

APP = "http://www.w3.org/2007/app"
ATOM = "http://www.w3.org/2005/Atom"
BSI = "http://schemas.microsoft.com/bing/spatial/2010/11/odata"

ATOM_CONTENT = "application/atomsvc+xml"

DISCLAIMER = (
    "This data source belongs to an account of this service. Changes to it are made by its owner and are not the"
    " responsibility of the service."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDocumentEntry:
    """One version of a data source. `updated` is when it took effect, `uploaded` when its data came."""

    name: str
    access_id: str
    entity_type: str
    job_id: str
    is_staging: bool
    is_active: bool
    is_public: bool
    updated: Ticks
    uploaded: Ticks


@dataclass(frozen=True, slots=True)
class ServiceDocument:
    """A list of all data sources, of one, of all versions of one, or of all public ones. `base` is the public URL."""

    entries: Sequence[ServiceDocumentEntry]
    copyright: str
    base: str
    is_single: bool = False
    has_versions: bool = False
    is_public_list: bool = False


def version_entries(source: DataSource, now: Ticks, *, all_versions: bool) -> Iterator[ServiceDocumentEntry]:
    """The entries of a data source: all its versions, or the first of them."""
    for version in list_versions(source, now)[: None if all_versions else 1]:
        is_staging = version is source.staged
        yield ServiceDocumentEntry(
            name=source.name,
            access_id=source.access_id,
            entity_type=version.entity_type,
            job_id=version.job_id,
            is_staging=is_staging,
            is_active=version is source.published,
            is_public=source.is_public and not is_staging,
            updated=version.updated,
            # The data came when the version's job was created.
            uploaded=created_at(version.job_id) if is_job_id(version.job_id) else version.updated,
        )


def render_atom(document: ServiceDocument) -> bytes:
    """The AtomPub service document: one workspace for each entry."""
    workspaces = "".join(_render_workspace(entry, document) for entry in document.entries)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<app:service xmlns:app="{APP}" xmlns:atom="{ATOM}" xmlns:bsi="{BSI}">
  <bsi:copyright>{escape_text(document.copyright)}</bsi:copyright>
{workspaces}</app:service>""".encode()


def render_json(document: ServiceDocument) -> bytes:
    """The JSON form, every slash escaped as the .NET serializer does.

    The documents show no JSON of all versions. Here it is a list whose members match the workspaces' attributes.
    """
    sources = [_build_members(entry, document) for entry in document.entries]
    inner: dict[str, Any] = {"Copyright": strip_invalid_xml(document.copyright)}
    inner |= sources[0] if document.is_single and not document.has_versions else {"DataSources": sources}
    return json.dumps({"d": inner}, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def _render_workspace(entry: ServiceDocumentEntry, document: ServiceDocument) -> str:
    flags = {"isStagingDataSource": entry.is_staging, "isActive": entry.is_active, "isPublic": entry.is_public}
    attributes = {name: _format_flag(value) for name, value in flags.items()}
    attributes |= {name.lower(): format_utc_seconds(date) for name, date in _list_dates(entry, document)}
    elements = [f"<atom:title>{escape_text(entry.name)}</atom:title>"]
    if document.has_versions:
        elements.append(f"<atom:jobId>{escape_text(entry.job_id)}</atom:jobId>")
    if document.is_public_list:
        elements.append(f"<atom:disclaimer>{escape_text(DISCLAIMER)}</atom:disclaimer>")
    written_attributes = "".join(f' bsi:{name}="{value}"' for name, value in attributes.items())
    written_elements = "\n    ".join(elements)
    path = "/".join(map(quote_segment, (entry.access_id, entry.name, entry.entity_type)))
    href = escape_attribute(f"{document.base}/REST/v1/data/{path}")
    return f"""  <app:workspace{written_attributes}>
    {written_elements}
    <app:collection app:href="{href}">
      <atom:title>{escape_text(entry.entity_type)}</atom:title>
    </app:collection>
  </app:workspace>
"""


def _build_members(entry: ServiceDocumentEntry, document: ServiceDocument) -> dict[str, Any]:
    members: dict[str, Any] = {"Name": strip_invalid_xml(entry.name)}
    if document.has_versions:
        members["JobId"] = strip_invalid_xml(entry.job_id)
        members["IsStagingDataSource"] = _format_flag(entry.is_staging)
        members["IsActive"] = _format_flag(entry.is_active)
    if document.is_public_list:
        members["Disclaimer"] = DISCLAIMER
    # A boolean in the document of the public list, a string in the other.
    members["IsPublic"] = entry.is_public if document.is_public_list else _format_flag(entry.is_public)
    members |= {name: format_rfc1123(date) for name, date in _list_dates(entry, document)}
    return members | {"EntitySets": [strip_invalid_xml(entry.entity_type)]}


def _list_dates(entry: ServiceDocumentEntry, document: ServiceDocument) -> Iterator[tuple[str, Ticks]]:
    if document.is_public_list or entry.is_staging:
        yield "Uploaded", entry.uploaded
    if not entry.is_staging:
        yield "Updated", entry.updated


def _format_flag(value: bool) -> str:  # noqa: FBT001 - the value is what is written
    return "true" if value else "false"
