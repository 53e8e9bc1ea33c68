"""Query parameters of the write operations and of the data source listings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.model.jobs import JobType
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import QueryParameters, is_data_source_name

# By their names in lower case; each with the name as the documents write it.
LOAD_OPERATIONS = {
    "complete": ("complete", JobType.COMPLETE),
    "completestaging": ("completeStaging", JobType.COMPLETE_STAGING),
    "incremental": ("incremental", JobType.INCREMENTAL),
    "incrementalstaging": ("incrementalStaging", JobType.INCREMENTAL_STAGING),
}
STAGING = frozenset((JobType.COMPLETE_STAGING, JobType.INCREMENTAL_STAGING))
INPUTS = frozenset(("xml", "csv", "tab", "pipe", "kml", "shp"))
GEOCODE_INPUTS = frozenset(("xml", "csv", "tab", "pipe"))

MAX_DESCRIPTION = 2048

# Characters. A row's property holds 32,768 UTF-16 code units, and the location is part of one.
MAX_LOCATION = 8000

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")

_FLAGS = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """The parameters of a load; None where one is absent.

    `public` is None for a staging load too: the documents exclude setPublic there, but a shipped client sends it.
    """

    name: str
    operation: str
    job_type: JobType
    input: str
    public: bool | None
    access_id: str | None
    description: str | None
    location: str | None


def parse_load_request(query: QueryParameters) -> LoadRequest:
    """Parses the parameters of a load.

    Raises:
        ApiError: one is missing, or its value is not allowed.
    """
    parameters = query.parameters
    name = parameters.get("datasourcename", "")
    if not is_data_source_name(name):
        raise ApiError(ErrorCode.BAD_NAME_PARAMETER)
    operation = LOAD_OPERATIONS.get(parameters.get("loadoperation", "").lower())
    if operation is None:
        raise ApiError(ErrorCode.BAD_LOAD_OPERATION)
    input_format = parameters.get("input", "").lower()
    if input_format not in INPUTS:
        raise ApiError(ErrorCode.BAD_INPUT)
    public = parse_flag(parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    return LoadRequest(
        name=name,
        operation=operation[0],
        job_type=operation[1],
        input=input_format,
        public=None if operation[1] in STAGING else public,
        access_id=parameters.get("accessid") or None,
        description=_parse_description(parameters),
        location=_parse_location(parameters),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GeocodeRequest:
    """The parameters of a geocode job; None where one is absent."""

    input: str
    description: str | None
    location: str | None


def parse_geocode_request(query: QueryParameters) -> GeocodeRequest:
    """Parses the parameters of a geocode job (geocode.md, section 1).

    Raises:
        ApiError: one is missing, or its value is not allowed.
    """
    parameters = query.parameters
    input_format = parameters.get("input", "").lower()
    if input_format not in GEOCODE_INPUTS:
        raise ApiError(ErrorCode.BAD_GEOCODE_INPUT)
    return GeocodeRequest(
        input=input_format, description=_parse_description(parameters), location=_parse_location(parameters)
    )


def _parse_description(parameters: Mapping[str, str]) -> str | None:
    description = parameters.get("description") or None
    if description is not None and len(description) > MAX_DESCRIPTION:
        raise ApiError(ErrorCode.BAD_DESCRIPTION)
    return description


def _parse_location(parameters: Mapping[str, str]) -> str | None:
    location = parameters.get("datalocation") or None
    if location is not None and (len(location) > MAX_LOCATION or _CONTROLS.search(location)):
        raise ApiError(ErrorCode.BAD_DATA_LOCATION)
    return location


def parse_flag(parameters: Mapping[str, str], name: str, error: ErrorCode) -> bool | None:
    """Parses a boolean parameter; None where it is absent or empty.

    Raises:
        ApiError: `error`, for any other value.
    """
    text = parameters.get(name, "").lower()
    if text and text not in _FLAGS:
        raise ApiError(error)
    return _FLAGS.get(text)


def shows_all_versions(parameters: Mapping[str, str]) -> bool:
    """Whether showAllVersions is true: `true`, or a number other than 0, as the document's example has it.

    Raises:
        ApiError: the value is neither a boolean nor a number.
    """
    text = parameters.get("showallversions", "").lower()
    if text.isascii() and text.isdigit():
        return bool(text.strip("0"))
    return parse_flag(parameters, "showallversions", ErrorCode.BAD_SHOW_ALL_VERSIONS) or False


def wants_json(parameters: Mapping[str, str]) -> bool:
    """Whether $format asks for JSON; Atom is the default.

    Raises:
        ApiError: it names another format.
    """
    text = parameters.get("$format", "").lower()
    if text not in {"", "atom", "json"}:
        raise ApiError(ErrorCode.BAD_FORMAT)
    return text == "json"
