"""What data sources there are, as an AtomPub service document or as JSON (Get Data Source Information)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.model.ticks import Ticks
from proxy.text import strip_invalid_xml
from proxy.wire.dates import rfc1123, utc_seconds
from proxy.wire.links import segment
from proxy.wire.xml_renderer import INDENT, escaped, escaped_attribute

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
    """One version of a data source. `updated` is when it took effect, `uploaded` when its data came.

    A staged version has not taken effect: it shows when it was uploaded.
    """

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
    """An answer: of all data sources, of one, of all versions of one, or of all public ones.

    `base` is the public URL.
    """

    entries: Sequence[ServiceDocumentEntry]
    copyright: str
    base: str
    is_single: bool = False
    has_versions: bool = False
    is_public_list: bool = False


def render_atom(document: ServiceDocument) -> bytes:
    """The AtomPub service document: one workspace for each entry."""
    return "\n".join(_atom(document)).encode()


def render_json(document: ServiceDocument) -> bytes:
    """The JSON form, every slash escaped as the .NET serializer did.

    The documents show no JSON of all versions. Here it is a list, whose members say what the workspaces' attributes do.
    """
    sources = [_source(entry, document) for entry in document.entries]
    inner: dict[str, Any] = {"Copyright": strip_invalid_xml(document.copyright)}
    inner |= sources[0] if document.is_single and not document.has_versions else {"DataSources": sources}
    return json.dumps({"d": inner}, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def _atom(document: ServiceDocument) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<app:service xmlns:app="{APP}" xmlns:atom="{ATOM}" xmlns:bsi="{BSI}">'
    yield f"{INDENT}<bsi:copyright>{escaped(document.copyright)}</bsi:copyright>"
    for entry in document.entries:
        attributes = {"isStagingDataSource": entry.is_staging, "isActive": entry.is_active, "isPublic": entry.is_public}
        told = "".join(f' bsi:{name}="{_word(value)}"' for name, value in attributes.items())
        dates = "".join(f' bsi:{name.lower()}="{utc_seconds(moment)}"' for name, moment in _dates(entry, document))
        yield f"{INDENT}<app:workspace{told}{dates}>"
        yield f"{INDENT * 2}<atom:title>{escaped(entry.name)}</atom:title>"
        if document.has_versions:
            yield f"{INDENT * 2}<atom:jobId>{escaped(entry.job_id)}</atom:jobId>"
        if document.is_public_list:
            yield f"{INDENT * 2}<atom:disclaimer>{escaped(DISCLAIMER)}</atom:disclaimer>"
        parts = (entry.access_id, entry.name, entry.entity_type)
        href = f"{document.base}/REST/v1/data/{'/'.join(map(segment, parts))}"
        yield f'{INDENT * 2}<app:collection app:href="{escaped_attribute(href)}">'
        yield f"{INDENT * 3}<atom:title>{escaped(entry.entity_type)}</atom:title>"
        yield f"{INDENT * 2}</app:collection>"
        yield f"{INDENT}</app:workspace>"
    yield "</app:service>"


def _source(entry: ServiceDocumentEntry, document: ServiceDocument) -> dict[str, Any]:
    members: dict[str, Any] = {"Name": strip_invalid_xml(entry.name)}
    if document.has_versions:
        members["JobId"] = strip_invalid_xml(entry.job_id)
        members["IsStagingDataSource"] = _word(entry.is_staging)
        members["IsActive"] = _word(entry.is_active)
    if document.is_public_list:
        members["Disclaimer"] = DISCLAIMER
    # A boolean on the page of the public list, a string on the other.
    members["IsPublic"] = entry.is_public if document.is_public_list else _word(entry.is_public)
    members |= {name: rfc1123(moment) for name, moment in _dates(entry, document)}
    return members | {"EntitySets": [strip_invalid_xml(entry.entity_type)]}


def _dates(entry: ServiceDocumentEntry, document: ServiceDocument) -> Iterator[tuple[str, Ticks]]:
    if document.is_public_list or entry.is_staging:
        yield "Uploaded", entry.uploaded
    if not entry.is_staging:
        yield "Updated", entry.updated


def _word(value: bool) -> str:  # noqa: FBT001 - the value is what is written
    return "true" if value else "false"
