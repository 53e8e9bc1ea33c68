"""Parses a request's path and query as Bing did (wire-contract.md, section 1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote_to_bytes

from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.job_types import StatusPath
from proxy.wire.routes import ROUTES, Operation


class Format(Enum):
    """The two formats of a response."""

    JSON = "json"
    XML = "xml"


OUTPUTS = ("succeeded", "failed")

# Beside key, queryKey and output. Others are ignored.
_OF_LOADS = {"accessid", "datalocation", "datasourcename", "description", "input", "loadoperation", "setpublic"}
_OF_QUERIES = {
    *("$filter", "$format", "$inlinecount", "$orderby", "$select", "$skip", "$top", "format", "isstaging", "jsonp"),
    *("jsonso", "spatialfilter"),
    *("avoid", "dbft", "distancebeforefirstturn", "hd", "heading", "optimize", "optmz", "travelmode"),
}
PARAMETERS = frozenset(_OF_LOADS | _OF_QUERIES | {"jobid", "showallversions"})

# The documents forbid the hyphen. The .NET client's own check allows it, and data sources have it.
_DATA_SOURCE_NAME = re.compile(r"[A-Za-z0-9~`!$^_={}-]{1,50}")


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """The known parameters of a request; `parameters` holds those of PARAMETERS by their names in lower case."""

    key: bytes | None
    output: str
    query_key: bytes | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """The format to respond in: JSON, unless XML is asked for."""
        return Format.XML if self.output.lower() == Format.XML.value else Format.JSON

    def check(self) -> None:
        """Raises ApiError if `output` names no format."""
        if self.output.lower() not in {"", *(each.value for each in Format)}:
            raise ApiError(ErrorCode.BAD_OUTPUT)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request for one operation.

    `reference` is the path's id of a job or a version, or the data source name that stands for a download job.
    `access_id` and `name` are a data source's, `entity` is its entity type, with the id of an entity where one is asked
    for.
    """

    operation: Operation
    status_path: StatusPath
    reference: str = ""
    output: str = ""
    access_id: str = ""
    name: str = ""
    entity: str = ""


def parse_query(query: bytes) -> QueryParameters:
    """Parses any bytes. Names match in any letter case, and the first value of a name counts."""
    values: dict[str, bytes] = {}
    for pair in query.replace(b"+", b" ").split(b"&"):
        name, _, value = pair.partition(b"=")
        text = _unquote(name).lower()
        values.setdefault("output" if text == "o" else text, value)
    key, query_key = (unquote_to_bytes(values.get(name, b"")) or None for name in ("key", "querykey"))
    parameters = {name: _unquote(value) for name, value in values.items() if name in PARAMETERS}
    return QueryParameters(key, _unquote(values.get("output", b"")), query_key, parameters)


def parse_path(raw_path: bytes, method: str) -> ApiCall:
    """Finds the operation of a path and a method.

    Empty segments, such as one after a slash at the end, change nothing.

    Args:
        raw_path: the path as it was sent. It is split before it is decoded, so an encoded slash stays in its segment.
        method: the HTTP method.

    Raises:
        ApiError: no operation has this path, or none takes this method.
    """
    segments = [_unquote(part) for part in raw_path.split(b"/") if part]
    allowed: set[str] = set()
    for route, template in _TEMPLATES:
        found = _match(template, segments)
        if found is None:
            continue
        if method in route.methods:
            return ApiCall(
                route.operation,
                route.status_path,
                found.get("{job}", found.get("{previousVersionJobId}", "")),
                found.get("{output}", "").lower(),
                found.get("{accessId}", ""),
                found.get("{name}", ""),
                found.get("{entityType}", ""),
            )
        allowed.update(route.methods)
    if allowed:
        raise ApiError(ErrorCode.WRONG_METHOD, tuple(sorted(allowed, key=_METHODS.index)))
    raise ApiError(ErrorCode.NO_SUCH_PATH)


def redact_path(raw_path: bytes, is_key: Callable[[str], bool] = lambda _: False) -> str:
    """A path that a log may hold: words of the URL templates, and ids of 32 hex digits. Other segments become `...`.

    Clients put keys into odd places. `is_key` recognises one that looks like an id.
    """

    def is_safe(segment: str) -> bool:
        return segment.lower() in _WORDS or (_ID.fullmatch(segment.lower()) is not None and not is_key(segment))

    segments = [_unquote(part) for part in raw_path.split(b"/") if part]
    return "".join(f"/{segment if is_safe(segment) else '...'}" for segment in segments[:_MAX_SEGMENTS])


def is_data_source_name(text: str) -> bool:
    """Whether the text can be the name of a data source."""
    return _DATA_SOURCE_NAME.fullmatch(text) is not None


_TEMPLATES = [(route, f"{route.root}/{route.template}".split("/")) for route in ROUTES]
_METHODS = ("GET", "HEAD", "POST", "DELETE")
_MAX_SEGMENTS = 8
_WORDS = {word.lower() for _, template in _TEMPLATES for word in template} | set(OUTPUTS)
_ID = re.compile(r"[0-9a-f]{32}")


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    found = {}
    for pattern, segment in zip(template, segments, strict=True):
        if pattern.startswith("{"):
            found[pattern] = segment
        elif pattern.lower() != segment.lower():
            return None
    is_output = found.get("{output}", OUTPUTS[0]).lower() in OUTPUTS
    is_job = found.get("{accessId}", "").lower() == "jobs" and "data" in template  # data/jobs is where jobs are
    is_document = found.get("{entityType}", "").startswith("$")
    return found if is_output and not is_job and not is_document else None


def _unquote(text: bytes) -> str:
    return (unquote_to_bytes(text) if b"%" in text else text).decode("utf-8", "replace")
