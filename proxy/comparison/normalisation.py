"""What may differ between two answers that mean the same: one table of members, and one of lists.

A member is named by its path without indexes, as `trees` builds it. What a treatment returns is compared in place of
the value, so a treatment that returns None for what it can't read leaves that value as it is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import unquote

from proxy.comparison.dates import read_json_date, read_xml_date
from proxy.comparison.read_only import ROOT
from proxy.comparison.trees import Members, Number

Treatment = Callable[[object], object]

MAX_DIGITS = 60  # characters of a number or a date; what is longer is compared as a text
DISTANCE_DIGITS = 9  # query-api.md section 2.4: relatively to 1e-9

_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?Z")
_ZEROS = re.compile(r"(\.[0-9]{0,9}?)0{1,9}(Z|[+-][0-9:]{5})$")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^/?#]*([^?#]*)")
_OUTPUT = re.compile(r"(?i)/output/(?:succeeded|failed)/?$")


def _is_there(value: object) -> object:
    """New for each answer, or by each side: only that it is there is compared."""
    return bool(value) if isinstance(value, str) else None


def _mask_year(value: object) -> object:
    """A notice without its year."""
    return " ".join(_YEAR.sub("YEAR", value).split()) if isinstance(value, str) else None


def _read_path(value: object) -> object:
    """A URL without scheme and host: what stands below /REST/v1/, or any signed link."""
    if not isinstance(value, str):
        return None
    found = _URL.match(value.strip())
    path = found[1] if found else value
    at = path.find(ROOT)
    if "sig=" in value.lower() or _OUTPUT.search(path):
        return "(a link to an output)"
    return unquote(path[at:] if at >= 0 else path)


def _read_moment(value: object) -> object:
    """A date by its moment, whatever its offset and the zeros at its end."""
    if not isinstance(value, str) or len(value) > MAX_DIGITS:
        return None
    trimmed = _ZEROS.sub(lambda found: found[1].rstrip(".") + found[2], value)
    of_xml = read_xml_date(f"{trimmed[:-1]}+00:00" if trimmed.endswith("Z") else trimmed)
    moment = read_json_date(value) if of_xml is None else of_xml.second
    return None if moment is None else (moment.astimezone(UTC), of_xml.fraction if of_xml else "")


def _is_date(value: object) -> object:
    """Only that there is a date: each side has its own."""
    if not isinstance(value, str):
        return None
    is_date = _read_moment(value) is not None or bool(_SECOND.fullmatch(value))
    return is_date or None


def _round_distance(value: object) -> object:
    """Nine significant digits: the last ones depend on the processor."""
    text = value.text if isinstance(value, Number) else value
    try:
        return f"{float(text):.{DISTANCE_DIGITS - 1}e}" if isinstance(text, str) and len(text) < MAX_DIGITS else None
    except ValueError:
        return None


_JOB = "resourceSets.resources"
_XML_JOB = "Response.ResourceSets..Resources."
_ATOM_PROPERTY = "content.m:properties.d:"

# The members that may differ, and how they are compared.
TREATMENTS: dict[str, Treatment] = {
    path: treatment
    for treatment, paths in (
        (_is_there, "traceId Response.TraceId feed.id app:service.app:workspace.jobId d.DataSources.JobId d.JobId"),
        (_is_there, "edmx:Edmx.edmx:DataServices.Schema.EntityContainer.@JobID"),
        (_mask_year, "copyright Response.Copyright d.__copyright d.Copyright feed.rights.#text entry.rights.#text"),
        (_mask_year, "feed.rights entry.rights app:service.bsi:copyright"),
        (_read_path, "brandLogoUri Response.BrandLogoUri (location)"),
        (_read_path, f"{_JOB}.links.url {_XML_JOB}.Link.#text"),
        (_read_path, "d.results.__metadata.uri d.__metadata.uri feed.entry.id entry.id"),
        (_read_path, "app:service.app:workspace.app:collection.@app:href"),
        (_read_moment, f"{_JOB}.createdDate {_JOB}.completedDate {_XML_JOB}.CreatedDate {_XML_JOB}.CompletedDate"),
        (_is_date, "app:service.app:workspace.@bsi:updated app:service.app:workspace.@bsi:uploaded"),
        (_is_date, "d.DataSources.Updated d.DataSources.Uploaded d.Updated d.Uploaded"),
        (_is_date, "feed.updated feed.entry.updated entry.updated"),
        (_round_distance, f"d.results.__Distance feed.entry.{_ATOM_PROPERTY}__Distance.#text"),
    )
    for path in paths.split()
}


@dataclass(frozen=True, slots=True)
class ListRule:
    """How the elements of a list are paired.

    `identity` names the members that say which element it is. Elements whose `ties` are equal may stand in any order
    among each other; `is_open` lists have no order at all.
    """

    identity: tuple[str, ...]
    ties: tuple[str, ...] = ()
    is_open: bool = False


# Other lists are compared element by element.
LISTS = {
    "resourceSets.resources": ListRule(("id",), ("createdDate",)),
    "Response.ResourceSets..Resources.": ListRule(("Id",), ("CreatedDate",)),
    "d.results": ListRule(("__metadata.uri",), ("__Distance",)),
    "feed.entry": ListRule(("id",), (f"{_ATOM_PROPERTY}__Distance.#text",)),
    "d.DataSources": ListRule(("Name", "IsStagingDataSource", "IsActive"), is_open=True),
    "app:service.app:workspace": ListRule(("title", "@bsi:isStagingDataSource", "@bsi:isActive"), is_open=True),
    "edmx:Edmx.edmx:DataServices.Schema": ListRule(("@Namespace",), is_open=True),
}

# While a job is Pending its counts grow.
GROWING = {
    "resourceSets.resources": ("totalEntityCount", "processedEntityCount", "failedEntityCount"),
    "Response.ResourceSets..Resources.": ("TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount"),
}
PENDING = ("status", "Status")

# Texts of errors are each side's own. An error's body of a query is documented nowhere, and no client reads it.
ERROR_TEXTS = frozenset(("errorDetails", "Response.ErrorDetails", "Response.ErrorDetails."))

# Numbers of Atom, whose spelling may differ where they are equal.
NUMBER_TYPES = frozenset(("Edm.Double", "Edm.Int64"))


# The same of entities, in bytes: pages that are equal without these need no parsing. No value matches, as neither a raw
# quote nor a raw < can stand in a text.
_OWN_PARTS = (
    re.compile(rb'"__metadata":\{"uri":"https?:\\?/\\?/[^\\/"]+'),
    re.compile(rb"<id>(?:https?://[^/<]+|uuid:[^<]+)"),
    re.compile(rb"<updated>[0-9TZ:.-]{10,40}"),
)


def drop_own_parts(body: bytes) -> bytes:
    """A page of entities without the hosts of their URLs, the feed's id and its dates."""
    for each in _OWN_PARTS[:1] if body.startswith(b"{") else _OWN_PARTS[1:]:
        body = each.sub(b"", body)
    return body


def member_at(element: object, path: Sequence[str]) -> object:
    """A member of an element by its path; None where there is none."""
    for name in path:
        element = element.get(name) if isinstance(element, Members) else None
    return element
