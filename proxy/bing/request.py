"""What a request asks for: its path and query, read as Bing read them (wire contract, section 1)."""

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote_to_bytes

from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.job_types import Kind


class Format(Enum):
    """The two formats of an answer."""

    JSON = "json"
    XML = "xml"


class Operation(Enum):
    """What can be asked for; the value names it in the log."""

    JOB_STATUS = "job status"
    JOB_LIST = "job list"
    JOB_OUTPUT = "job output"


@dataclass(frozen=True, slots=True)
class Route:
    """One URL template: a segment in braces takes any text, the others match in any letter case."""

    template: str
    operation: Operation
    kind: Kind


# Below /REST/v1/. The documents print output links under ListJobs and Download too.
ROUTES = (
    Route("Dataflows/ListJobs", Operation.JOB_LIST, Kind.LISTED),
    Route("Dataflows/LoadDataSource/{job}", Operation.JOB_STATUS, Kind.LOAD),
    Route("Dataflows/DataSourceDownload/{job}", Operation.JOB_STATUS, Kind.DOWNLOAD),
    Route("Dataflows/Geocode/{job}", Operation.JOB_STATUS, Kind.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}", Operation.JOB_STATUS, Kind.ROLLBACK),
    Route("data/jobs/{job}/$getstatus", Operation.JOB_STATUS, Kind.SERVICE),
    Route("Dataflows/LoadDataSource/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.LOAD),
    Route("Dataflows/DataSourceDownload/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.DOWNLOAD),
    Route("Dataflows/Download/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.DOWNLOAD),
    Route("Dataflows/Geocode/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.ROLLBACK),
    Route("Dataflows/ListJobs/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.LISTED),
)
METHODS = ("GET", "HEAD")
OUTPUTS = ("succeeded", "failed")

_DATA_SOURCE_NAME = re.compile(r"[A-Za-z0-9~`!$^_={}]{1,50}")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters that count. Names match in any letter case, and the first one given counts."""

    key: bytes | None
    output: str

    @property
    def format(self) -> Format:
        """The format to answer in; JSON where what was asked for is no format."""
        return Format.XML if self.output.lower() == Format.XML.value else Format.JSON

    def check(self) -> None:
        """Raises WireError where a parameter has a value that is not allowed."""
        if self.output and self.output.lower() not in {answer.value for answer in Format}:
            raise WireError(ErrorCode.BAD_OUTPUT)


@dataclass(frozen=True, slots=True)
class Call:
    """A request for one operation: `reference` is the path's id or data source name, `output` the output's name."""

    operation: Operation
    kind: Kind
    reference: str = ""
    output: str = ""


def parse_query(query: bytes) -> Query:
    """Reads a query string; never fails, whatever the bytes."""
    key: bytes | None = None
    output: str | None = None
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        match _unquoted(name.replace(b"+", b" ")).lower():
            case "key" if key is None:
                key = unquote_to_bytes(value.replace(b"+", b" "))
            case "output" | "o" if output is None:
                output = _unquoted(value.replace(b"+", b" "))
    return Query(key or None, output or "")


def parse_path(raw_path: bytes, method: str) -> Call:
    """Finds the operation that a path and a method ask for.

    The path comes as it was sent: it is split before it is decoded, so that an encoded slash stays within its segment.
    Empty segments, as of a slash at the end, change nothing.

    Raises:
        WireError: there is no such path, or it does not take this method.
    """
    segments = [_unquoted(part) for part in raw_path.split(b"/") if part]
    if [segment.lower() for segment in segments[:2]] == ["rest", "v1"]:
        for template, route in _TEMPLATES:
            found = _match(template, segments[2:])
            if found is not None:
                if method not in METHODS:
                    raise WireError(ErrorCode.WRONG_METHOD, METHODS)
                return Call(route.operation, route.kind, found.get("{job}", ""), found.get("{output}", "").lower())
    raise WireError(ErrorCode.NO_SUCH_PATH)


def path_for_log(raw_path: bytes) -> str:
    """A path as a log may tell it: the words of the URL templates, and ids of 32 hex digits.

    Of anything else it tells only that something is there: clients put keys into odd places.
    """
    segments = [_unquoted(part) for part in raw_path.split(b"/") if part]
    return "".join(f"/{segment if _is_told(segment) else '...'}" for segment in segments[:_TOLD_SEGMENTS])


def is_data_source_name(text: str) -> bool:
    """Whether the text can be the name of a data source."""
    return _DATA_SOURCE_NAME.fullmatch(text) is not None


_TEMPLATES = [(route.template.split("/"), route) for route in ROUTES]
_TOLD_SEGMENTS = 8
_WORDS = {"rest", "v1"} | {word.lower() for route in ROUTES for word in route.template.split("/")} | set(OUTPUTS)
_ID = re.compile(r"[0-9a-f]{32}")


def _is_told(segment: str) -> bool:
    return segment.lower() in _WORDS or _ID.fullmatch(segment.lower()) is not None


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
    return found


def _unquoted(text: bytes) -> str:
    return (unquote_to_bytes(text) if b"%" in text else text).decode("utf-8", "replace")
