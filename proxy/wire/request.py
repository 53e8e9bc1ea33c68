"""What a request asks for: its path and query, read as Bing read them (wire contract, section 1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote_to_bytes

from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.job_types import StatusPath
from proxy.wire.routes import ROUTES, Operation


class Format(Enum):
    """The two formats of an answer."""

    JSON = "json"
    XML = "xml"


OUTPUTS = ("succeeded", "failed")

# Beside key, queryKey and output. Others are ignored.
PARAMETERS = frozenset(
    (
        "$format",
        "accessid",
        "datalocation",
        "datasourcename",
        "description",
        "input",
        "isstaging",
        "jobid",
        "loadoperation",
        "setpublic",
        "showallversions",
    )
)

# The documents forbid the hyphen; the .NET client's own check allows it, and sources in use have it.
_DATA_SOURCE_NAME = re.compile(r"[A-Za-z0-9~`!$^_={}-]{1,50}")


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """The parameters that count. Names match in any letter case, and the first one given counts.

    `parameters` holds those of PARAMETERS that were given, by their names in lower case.
    """

    key: bytes | None
    output: str
    query_key: bytes | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """The format to answer in; JSON where what was asked for is no format."""
        return Format.XML if self.output.lower() == Format.XML.value else Format.JSON

    def check(self) -> None:
        """Raises WireError where the format is none."""
        if self.output and self.output.lower() not in {answer.value for answer in Format}:
            raise ApiError(ErrorCode.BAD_OUTPUT)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request for one operation.

    `reference` is the path's id of a job, or of a version, or the data source name that stands for a job; `output` the
    output's name; `access_id` and `name` those of a data source.
    """

    operation: Operation
    kind: StatusPath
    reference: str = ""
    output: str = ""
    access_id: str = ""
    name: str = ""


def parse_query(query: bytes) -> QueryParameters:
    """Reads a query string; never fails, whatever the bytes."""
    keys: dict[str, bytes] = {}
    output: str | None = None
    parameters: dict[str, str] = {}
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        match _unquoted(name.replace(b"+", b" ")).lower():
            case "key" | "querykey" as known:
                keys.setdefault(known, unquote_to_bytes(value.replace(b"+", b" ")))
            case "output" | "o" if output is None:
                output = _unquoted(value.replace(b"+", b" "))
            case known if known in PARAMETERS and known not in parameters:
                parameters[known] = _unquoted(value.replace(b"+", b" "))
    return QueryParameters(keys.get("key") or None, output or "", keys.get("querykey") or None, parameters)


def parse_path(raw_path: bytes, method: str) -> ApiCall:
    """Finds the operation that a path and a method ask for.

    The path comes as it was sent: it is split before it is decoded, so that an encoded slash stays within its segment.
    Empty segments, as of a slash at the end, change nothing.

    Raises:
        WireError: there is no such path, or it does not take this method.
    """
    segments = [_unquoted(part) for part in raw_path.split(b"/") if part]
    allowed: tuple[str, ...] = ()
    for route, template in _TEMPLATES:
        found = _match(template, segments)
        if found is None:
            continue
        if method in route.methods:
            return ApiCall(
                route.operation,
                route.kind,
                found.get("{job}", found.get("{previousVersionJobId}", "")),
                found.get("{output}", "").lower(),
                found.get("{accessId}", ""),
                found.get("{name}", ""),
            )
        allowed += route.methods
    if allowed:
        raise ApiError(ErrorCode.WRONG_METHOD, tuple(sorted(allowed, key=_METHODS.index)))
    raise ApiError(ErrorCode.NO_SUCH_PATH)


def redact_path(raw_path: bytes, is_key: Callable[[str], bool] = lambda _: False) -> str:
    """A path as a log may tell it: the words of the URL templates, and ids of 32 hex digits.

    Of anything else it tells only that something is there: clients put keys into odd places. `is_key` says of what
    looks like an id whether it is somebody's key.
    """
    segments = [_unquoted(part) for part in raw_path.split(b"/") if part]
    return "".join(f"/{segment if _is_told(segment, is_key) else '...'}" for segment in segments[:_TOLD_SEGMENTS])


def is_data_source_name(text: str) -> bool:
    """Whether the text can be the name of a data source."""
    return _DATA_SOURCE_NAME.fullmatch(text) is not None


_TEMPLATES = [(route, f"{route.root}/{route.template}".split("/")) for route in ROUTES]
_METHODS = ("GET", "HEAD", "POST", "DELETE")
_TOLD_SEGMENTS = 8
_WORDS = {word.lower() for _, template in _TEMPLATES for word in template} | set(OUTPUTS)
_ID = re.compile(r"[0-9a-f]{32}")

# No access id: data/jobs is where jobs are asked for.
_JOBS = "jobs"


def _is_told(segment: str, is_key: Callable[[str], bool]) -> bool:
    return segment.lower() in _WORDS or (_ID.fullmatch(segment.lower()) is not None and not is_key(segment))


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    found = {}
    for pattern, segment in zip(template, segments, strict=True):
        if pattern.startswith("{"):
            found[pattern] = segment
        elif pattern.lower() != segment.lower():
            return None
    if found.get("{output}", OUTPUTS[0]).lower() not in OUTPUTS:
        return None
    if found.get("{accessId}", "").lower() == _JOBS and "data" in template:
        return None
    if found.get("{entityType}", "").startswith("$"):  # no entity type begins so
        return None
    return found


def _unquoted(text: bytes) -> str:
    return (unquote_to_bytes(text) if b"%" in text else text).decode("utf-8", "replace")
