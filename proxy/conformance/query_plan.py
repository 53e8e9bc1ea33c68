"""The requests of queries: a few data sources in the forms of answers, and one of them in all that may go wrong."""

from collections.abc import Iterator

from proxy.conformance.contract import XML
from proxy.conformance.exchange import KeyChoice, Purpose, Request, SourceUnderTest, segment

P = Purpose
PAGE = 2
RADIUS = 1000  # km, the largest
MAX_LATITUDE, MAX_LONGITUDE = 90, 180
HALF_BOX = 0.01  # degrees
CALLBACK, STATE = "conformance.call_1", "state 1/2"
ORIGIN = (("Origin", "https://maps.example.com"),)
JSON = "$format=json"
MALFORMED = "$filter=entityId%20eq"
_WHERE = "entityId,Latitude,Longitude,__Distance"
_COORDINATES = frozenset(("latitude", "longitude"))

SOURCES = Request(P.SOURCES, "data")


def first_request(source: SourceUnderTest) -> Request:
    """Whether the data source is served, its first entity, and how many it has."""
    return Request(P.FIND_FIRST, source.path, f"{JSON}&$top=1&$inlinecount=allpages", source=source)


def metadata_request(source: SourceUnderTest) -> Request:
    """The schema of a data source."""
    return Request(P.SOURCE_METADATA, f"{_parent(source)}/$metadata", source=source)


def form_requests(source: SourceUnderTest) -> Iterator[Request]:
    """The forms of answers, for each data source."""

    def request(purpose: Purpose, query: str, path: str = source.path) -> Request:
        return Request(purpose, path, query, source=source)

    one = f"{source.path}('{_quoted(source.id)}')"
    ordered = segment(order_property(source))
    everything = f"$top={2 * PAGE}&$inlinecount=allpages"
    yield Request(P.FIND_ALL, source.path, f"{JSON}&{everything}", headers=ORIGIN, source=source)
    yield request(P.FIND_ALL, f"&{everything}")  # the empty first parameter of a shipped client
    yield request(P.FIND_ONE, JSON, one)
    yield request(P.FIND_ONE, "", one)
    yield request(P.FIND_NEXT, f"{JSON}&$select=*,__Distance&$top={PAGE}&$skip={PAGE}")
    yield request(P.FIND_EQUAL, f"{JSON}&$filter=entityId%20eq%20'{_quoted(source.id)}'")
    yield request(P.FIND_SELECTED, f"{JSON}&$select=longitude,entityId,latitude&$top={PAGE}")
    yield request(P.FIND_ORDERED, f"{JSON}&$orderby={ordered}&$select={ordered}")
    if source.latitude:
        near = f"spatialFilter=nearby({source.latitude},{source.longitude},{RADIUS})&$select={_WHERE}"
        yield request(P.FIND_NEAR, f"{near}&{JSON}")
        yield request(P.FIND_NEAR, near)
        box = ",".join(f"{edge:.6f}" for edge in bounds(source))
        yield request(P.FIND_IN_BOX, f"spatialFilter=bbox({box})&$select={_WHERE}&$top=250&{JSON}")


def other_requests(source: SourceUnderTest) -> Iterator[Request]:
    """What one data source shows for all: spellings, pages, JSONP, errors, keys."""
    path, parent = source.path, _parent(source)
    first = f"{JSON}&$top=1"

    def request(purpose: Purpose, query: str, path: str = path) -> Request:
        return Request(purpose, path, query, source=source)

    swapped = "/".join(each.swapcase() if "%" not in each else each for each in path.split("/"))
    yield request(P.FIND_CASE, first, swapped)
    yield request(P.FIND_EMPTY_SEGMENT, first, path.replace("data/", "data//", 1) + "/")
    if source.latitude:
        near = f"SpatialFilter=Nearby('{source.latitude},{source.longitude}',{RADIUS})"
        yield request(P.FIND_PARAMETER_CASE, f"{near}&%24Top=1&$FORMAT=JSON")
    for top in (0, 100_000):
        yield request(P.FIND_FULL_PAGE, f"{JSON}&$top={top}&$inlinecount=allpages&$select=entityId")
    yield request(P.FIND_PAST_END, f"{JSON}&$skip=9999999&$inlinecount=allpages")
    yield request(P.FIND_JSONP, f"{first}&jsonp={CALLBACK}&jsonso={segment(STATE)}")
    yield request(P.FIND_BAD_JSONP, f"{JSON}&{MALFORMED}&jsonp={CALLBACK}")
    yield request(P.FIND_BAD_CALLBACK, f"{first}&jsonp=alert(1)//")
    yield Request(P.FIND_BAD_FILTER, path, f"{JSON}&{MALFORMED}", headers=ORIGIN, source=source)
    yield Request(P.FIND_BAD_FILTER, path, f"o=xml&{MALFORMED}", XML, source=source)
    yield request(P.FIND_BAD_PROPERTY, f"{JSON}&$filter=NoSuchProperty0%20eq%201")
    yield request(P.FIND_NO_TYPE, JSON, f"{parent}/NoSuchType0")
    yield request(P.FIND_NO_ENTITY, JSON, f"{path}('no%20such%20entity%20%C3%A9%20{'0' * 32}')")
    # The malformed parameter must not be judged before the key.
    for purpose, key in ((P.FIND_NO_KEY, KeyChoice.NONE), (P.FIND_WRONG_KEY, KeyChoice.WRONG)):
        yield Request(purpose, path, f"{JSON}&{MALFORMED}", key=key, source=source)
    yield Request(P.FIND_HEAD, f"{path}('{_quoted(source.id)}')", JSON, method="HEAD", source=source)


def versions_request(source: SourceUnderTest) -> Request:
    """Whether a version is staged."""
    return Request(P.SOURCE_VERSIONS, _parent(source), "showAllVersions=1", source=source)


def staged_request(source: SourceUnderTest) -> Request:
    """The staged version."""
    return Request(P.FIND_STAGED, source.path, f"{JSON}&isStaging=1", source=source)


def bounds(source: SourceUnderTest) -> tuple[float, float, float, float]:
    """South, west, north and east of a small box around the first entity."""
    latitude, longitude = float(source.latitude), float(source.longitude)
    return (
        max(latitude - HALF_BOX, -MAX_LATITUDE),
        max(longitude - HALF_BOX, -MAX_LONGITUDE),
        min(latitude + HALF_BOX, MAX_LATITUDE),
        min(longitude + HALF_BOX, MAX_LONGITUDE),
    )


def order_property(source: SourceUnderTest) -> str:
    """A property to order by: a number if possible, as the order of texts may follow a language."""
    types = {name: each for name, each in source.types if name.lower() not in _COORDINATES | {source.key.lower()}}
    numbers = (name for name, each in types.items() if each in {"Edm.Int64", "Edm.Double"})
    return next(numbers, "entityId")


def _parent(source: SourceUnderTest) -> str:
    return source.path.rpartition("/")[0]


def _quoted(text: str) -> str:
    return segment(text.replace("'", "''"))
