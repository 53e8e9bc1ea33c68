"""What the parameters of the write side say: of loads, of what is set or deleted, and of how a data source is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.model.jobs import JobType
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import QueryParameters, is_data_source_name

# By their names in lower case, since letter case does not matter; the values are the names as the documents write them.
LOAD_OPERATIONS = {
    "complete": ("complete", JobType.COMPLETE),
    "completestaging": ("completeStaging", JobType.COMPLETE_STAGING),
    "incremental": ("incremental", JobType.INCREMENTAL),
    "incrementalstaging": ("incrementalStaging", JobType.INCREMENTAL_STAGING),
}
STAGING = frozenset((JobType.COMPLETE_STAGING, JobType.INCREMENTAL_STAGING))
INPUTS = frozenset(("xml", "csv", "tab", "pipe", "kml", "shp"))

MAX_DESCRIPTION = 2048

# Characters. It becomes part of a row, where a property has room for 32,768 of them, of UTF-16.
MAX_LOCATION = 8000

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")

_FLAGS = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What a load is asked for; None where a parameter is not given.

    `public` is None on a staging load too: the documents say that setPublic is not for those, but a shipped client
    sends it with every load.
    """

    name: str
    operation: str
    job_type: JobType
    input: str
    public: bool | None
    access_id: str | None
    description: str | None
    location: str | None


def load_request(query: QueryParameters) -> LoadRequest:
    """Reads the parameters of a load.

    Raises:
        WireError: one is missing, or has a value that is not allowed.
    """
    given = query.parameters
    name = given.get("datasourcename", "")
    if not is_data_source_name(name):
        raise ApiError(ErrorCode.BAD_NAME_PARAMETER)
    operation = LOAD_OPERATIONS.get(given.get("loadoperation", "").lower())
    if operation is None:
        raise ApiError(ErrorCode.BAD_LOAD_OPERATION)
    form = given.get("input", "").lower()
    if form not in INPUTS:
        raise ApiError(ErrorCode.BAD_INPUT)
    public = flag(given, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    description = given.get("description") or None
    if description is not None and len(description) > MAX_DESCRIPTION:
        raise ApiError(ErrorCode.BAD_DESCRIPTION)
    location = given.get("datalocation") or None
    if location is not None and (len(location) > MAX_LOCATION or _CONTROLS.search(location)):
        raise ApiError(ErrorCode.BAD_DATA_LOCATION)
    return LoadRequest(
        name=name,
        operation=operation[0],
        job_type=operation[1],
        input=form,
        public=None if operation[1] in STAGING else public,
        access_id=given.get("accessid") or None,
        description=description,
        location=location,
    )


def flag(given: Mapping[str, str], name: str, mistake: ErrorCode) -> bool | None:
    """A parameter that says yes or no; None where it is not given, or empty.

    Raises:
        WireError: it says anything else.
    """
    text = given.get(name, "").lower()
    if not text:
        return None
    if text not in _FLAGS:
        raise ApiError(mistake)
    return _FLAGS[text]


def shows_all_versions(given: Mapping[str, str]) -> bool:
    """Whether showAllVersions is true: `true` or a number, as the page's own example has it.

    Raises:
        WireError: it is no such thing.
    """
    text = given.get("showallversions", "").lower()
    if text.isascii() and text.isdigit():
        return bool(text.strip("0"))
    return flag(given, "showallversions", ErrorCode.BAD_SHOW_ALL_VERSIONS) or False


def wants_json(given: Mapping[str, str]) -> bool:
    """Whether $format asks for JSON; Atom is the default.

    Raises:
        WireError: it asks for neither.
    """
    text = given.get("$format", "").lower()
    if text not in {"", "atom", "json"}:
        raise ApiError(ErrorCode.BAD_FORMAT)
    return text == "json"
