"""The columns of delimited text: those of version 1.0 by position, those of 2.0 by the names in line 2."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.model.geocoding import Place
from proxy.formats.columns.buffers import quote_value
from proxy.formats.geocode.place_texts import VERSION_1, VERSION_2, Writers
from proxy.formats.geocode.requests import NO_REQUEST, NO_REQUEST_IN_TEXT_1
from proxy.formats.schema import InvalidDataError

_MAX_COLUMNS = 1_000
"""Each row of an output has as many; more would make it much larger than the input."""
_SHOWN = 100
STATUS_COLUMNS = ("StatusCode", "FaultReason", "TraceId")

# Geocode.md, section 2.3: the columns in their order, `r.` those of the response.
_VERSION_1 = """
Id Culture Query AddressLine AdminDistrict CountryRegion District FormattedAddress
Locality PostalCode PostalTown MinimumConfidence r.AddressLine r.AdminDistrict r.CountryRegion r.District
r.FormattedAddress r.Locality r.PostalCode r.PostalTown
r.Rooftop.Latitude r.Rooftop.Longitude r.Interpolated.Latitude r.Interpolated.Longitude
r.Confidence r.DisplayName r.EntityType r.StatusCode r.FaultReason Latitude Longitude
""".split()  # noqa: SIM905  reads like the contract's table

# Geocode.md, section 2.2: the 41 names but for Id, by what stands before the last part.
_VERSION_2_REQUEST = {
    "GeocodeRequest/": "Culture Query StrictMatch",
    "GeocodeRequest/Address/": (
        "AddressLine AdminDistrict CountryRegion AdminDistrict2 FormattedAddress Locality PostalCode PostalTown"
    ),
    "GeocodeRequest/ConfidenceFilter/": "MinimumConfidence",
    "ReverseGeocodeRequest/": "IncludeEntityTypes",
    "ReverseGeocodeRequest/Location/": "Latitude Longitude",
}
_VERSION_2_RESPONSE = {
    "GeocodeResponse/Address/": (
        "AddressLine AdminDistrict CountryRegion AdminDistrict2 FormattedAddress Locality PostalCode PostalTown "
        "Neighborhood Landmark"
    ),
    "GeocodeResponse/": "Confidence Name EntityType MatchCodes QueryParseValues GeocodePoints",
    "GeocodeResponse/Point/": "Latitude Longitude",
    "GeocodeResponse/BoundingBox/": "SouthLatitude WestLongitude NorthLatitude EastLongitude",
    "": " ".join(STATUS_COLUMNS),
}
_JSON = {"QueryParseValues", "GeocodePoints"}


def _by_full_name(table: dict[str, str], prefix: str) -> dict[str, str]:
    return {f"{before}{last}".lower(): prefix + last for before, names in table.items() for last in names.split()}


_VERSION_2 = _by_full_name(_VERSION_2_REQUEST, "") | _by_full_name(_VERSION_2_RESPONSE, "r.")
_FORWARD = {"Query", *_VERSION_2_REQUEST["GeocodeRequest/Address/"].split()} - {"FormattedAddress"}
_REVERSE = {"Latitude", "Longitude"}


@dataclass(frozen=True, slots=True)
class TextLayout:
    """What the columns of a file are.

    Attributes:
        width: the number of columns.
        request: positions of a request's values, with the last parts of their names.
        response: positions and writers of a place's values.
        status: positions of StatusCode, FaultReason and TraceId, of those that the file has.
        cleared: all positions of the response: what a client sends there is not repeated.
        json: positions of JSON, which pipe and tab leave without quotes.
        no_request: the fault of a row that asks for nothing.
        cleared_in_reverse: positions of the request that a reverse row leaves empty.
    """

    width: int
    request: tuple[tuple[int, str], ...]
    response: tuple[tuple[int, Callable[[Place], str]], ...]
    status: dict[str, int]
    cleared: tuple[int, ...]
    json: tuple[int, ...]
    no_request: str
    cleared_in_reverse: tuple[int, ...] = ()


def _build_layout(columns: list[str | None], writers: Writers, no_request: str) -> TextLayout:
    """The layout of columns by their names; those of the response begin with `r.`, None is a column of the user."""
    named = [(at, name) for at, name in enumerate(columns) if name is not None]
    response = [(at, name.removeprefix("r.")) for at, name in named if name.startswith("r.")]
    return TextLayout(
        len(columns),
        tuple([(at, name) for at, name in named if not name.startswith("r.")]),
        tuple([(at, writers[name]) for at, name in response if name in writers]),
        {name: at for at, name in response if name in STATUS_COLUMNS},
        tuple([at for at, _ in response]),
        tuple([at for at, name in response if name in _JSON]),
        no_request,
    )


VERSION_1_LAYOUT = replace(
    _build_layout([None if name == "Id" else name for name in _VERSION_1], VERSION_1, NO_REQUEST_IN_TEXT_1),
    cleared_in_reverse=(_VERSION_1.index("Culture"),),
)


def parse_header(cells: list[str], line: int) -> TextLayout:
    """The layout that the names of line 2 mean, in any letter case. Only the first column of a name has its meaning.

    Args:
        cells: the names, without blanks around them.
        line: the number of the line.

    Raises:
        InvalidDataError: no row of such a file can make a request.
    """
    if len(cells) > _MAX_COLUMNS:
        raise InvalidDataError(f"line {line} names {len(cells):,} columns; at most {_MAX_COLUMNS:,} are allowed")
    columns: list[str | None] = []
    for cell in cells:
        name = _VERSION_2.get(cell.lower())
        columns.append(None if name in columns else name)
    if _FORWARD.isdisjoint(columns) and not _REVERSE.issubset(columns):
        raise InvalidDataError(
            f"line {line} has to name the columns, and no row of these can be a request: "
            f"{quote_value(', '.join(cells), _SHOWN)}; "
            f"needed is GeocodeRequest/Query, or a column such as GeocodeRequest/Address/AddressLine, "
            f"or both ReverseGeocodeRequest/Location/Latitude and ReverseGeocodeRequest/Location/Longitude"
        )
    return _build_layout(columns, VERSION_2, NO_REQUEST)
