"""What queries read, parsed: the data sources that an endpoint lists, their schemas, and entities in both formats."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from lxml import etree

from proxy.comparison.documents import is_huge, read_json, read_xml
from proxy.conformance.contract import ROOT
from proxy.conformance.exchange import Exchange, Purpose, SourceUnderTest
from proxy.conformance.parsed import split_url
from proxy.conformance.query_plan import CALLBACK, MAX_LATITUDE, MAX_LONGITUDE

ATOM = "http://www.w3.org/2005/Atom"
DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
METADATA = f"{DATA}/metadata"
_APP = "{http://www.w3.org/2007/app}"
_STAGING = "{http://schemas.microsoft.com/bing/spatial/2010/11/odata}isStagingDataSource"
_SEGMENTS = 4  # data, access id, name, entity type
MAX_NUMBER = 100_000  # more than any coordinate or distance
# Larger exponents overflow.
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_ABOUT = ("__copyright", "__count", "__metadata")


class Literal(str):
    """A number as JSON writes it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ParsedProperty:
    """A property of an entity. `written` is `null` for a missing value; a text in JSON stands in quotes.

    `attributes` are those of Atom by their whole names, `prefix` that of its name there.
    """

    name: str
    written: str
    attributes: tuple[tuple[str, str], ...] = ()
    prefix: str | None = None

    @property
    def number(self) -> Decimal | None:
        """The value as a number, None if it is none."""
        return Decimal(self.written) if _NUMBER.fullmatch(self.written) else None


@dataclass(frozen=True, slots=True)
class ParsedEntity:
    """An entity. `order` are the names of all its JSON members."""

    url: object
    properties: tuple[ParsedProperty, ...]
    order: tuple[str, ...] = ()

    def find(self, name: str) -> ParsedProperty | None:
        """A property by its name in any letter case."""
        return next((each for each in self.properties if each.name.lower() == name.lower()), None)

    def number(self, name: str) -> float | None:
        """The value of a coordinate or a distance."""
        found = self.find(name)
        number = None if found is None else found.number
        return None if number is None or abs(number) > MAX_NUMBER else float(number)


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """The answer to a query. `members` are those of JSON's `d`, `root` is that of Atom."""

    exchange: Exchange
    source: SourceUnderTest
    entities: tuple[ParsedEntity, ...]
    count: object = None
    members: dict[str, Any] = field(default_factory=dict)
    root: etree._Element = field(default_factory=lambda: etree.Element("none"))

    @property
    def is_atom(self) -> bool:
        """Whether it is in Atom."""
        return wants_atom(self.exchange)

    @property
    def is_counted(self) -> bool:
        """Whether the request wants the count."""
        return "$inlinecount=allpages" in self.exchange.request.query

    @property
    def total(self) -> int | None:
        """The count as a number."""
        return int(str(self.count)) if re.fullmatch("[0-9]{1,9}", str(self.count)) else None

    @property
    def ids(self) -> list[str]:
        """The keys in the entities' URLs."""
        return [str(each.url).rpartition("(")[2] for each in self.entities]

    def key_of(self, entity: ParsedEntity) -> str | None:
        """The key of an entity; None where it is not known or not selected."""
        found = entity.find(self.source.key) if self.source.key else None
        return None if found is None else found.written if self.is_atom else found.written[1:-1]

    @property
    def has_first(self) -> bool:
        """Whether one of the entities is the first one of the data source, or may be."""
        return any(self.key_of(each) in {None, self.source.id} for each in self.entities)

    def show(self, *_: str) -> str:
        """The status and the number of entities; a report shows none of their values."""
        return f"{self.exchange.show('content-type')}, {len(self.entities)} entities"


def wants_atom(exchange: Exchange) -> bool:
    """Whether the request of entities is for Atom."""
    query = exchange.request.query.lower()
    return exchange.request.purpose.name.startswith("FIND_") and "$format=json" not in query


def parse_answer(exchange: Exchange) -> ParsedAnswer | None:
    """The entities of a successful answer in the requested format; None if it has no such form."""
    body, source = exchange.body, exchange.request.source
    if source is None or exchange.status != HTTPStatus.OK or exchange.request.method == "HEAD" or is_huge(body):
        return None
    if exchange.request.purpose is Purpose.FIND_JSONP:
        body = body.removeprefix(f"{CALLBACK}(".encode()).rpartition(b',"')[0]
    try:
        return _parse_atom(exchange, source) if wants_atom(exchange) else _parse_json(exchange, source, body)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, etree.LxmlError):
        return None


def _parse_json(exchange: Exchange, source: SourceUnderTest, body: bytes) -> ParsedAnswer:
    members = read_json(body, Literal)["d"]
    found = members.get("results", [members])
    return ParsedAnswer(exchange, source, tuple(map(_json_entity, found)), members.get("__count"), members)


def _json_entity(found: dict[str, Any]) -> ParsedEntity:
    def write(value: object) -> str:
        if isinstance(value, str) and not isinstance(value, Literal):
            return f'"{value}"'
        return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    about = found.get("__metadata", {})
    properties = (ParsedProperty(name, write(value)) for name, value in found.items() if name not in _ABOUT)
    return ParsedEntity(about["uri"] if list(about) == ["uri"] else None, tuple(properties), tuple(found))


def _parse_atom(exchange: Exchange, source: SourceUnderTest) -> ParsedAnswer:
    root = read_xml(exchange.body)
    entries = [root] if root.tag == f"{{{ATOM}}}entry" else root.findall(f"{{{ATOM}}}entry")
    entities = tuple(map(_atom_entity, entries))
    return ParsedAnswer(exchange, source, entities, root.findtext(f"{{{METADATA}}}count"), root=root)


def _atom_entity(entry: etree._Element) -> ParsedEntity:
    null = f"{{{METADATA}}}null"
    properties = tuple(
        ParsedProperty(
            etree.QName(each).localname,
            "null" if each.get(null) == "true" and not each.text else each.text or "",
            tuple((str(name), str(value)) for name, value in each.attrib.items()),
            each.prefix,
        )
        for each in entry.iterfind(f"{{{ATOM}}}content/{{{METADATA}}}properties/*")
    )
    return ParsedEntity(entry.findtext(f"{{{ATOM}}}id"), properties)


def read_sources(exchange: Exchange) -> list[SourceUnderTest]:
    """The published data sources of a service document, by the URLs of their entity types."""
    found = dict[str, SourceUnderTest]()
    for space in _elements(exchange, f"{_APP}workspace"):
        for collection in space.iter(f"{_APP}collection") if space.get(_STAGING) != "true" else ():
            url = str(collection.get(f"{_APP}href"))
            path = split_url(url).path.partition(ROOT)[2]
            if re.fullmatch("[!-~]+", path) and path.count("/") == _SEGMENTS - 1:
                found[url] = SourceUnderTest(url, path)
    return list(found.values())


def is_staged(exchange: Exchange) -> bool:
    """Whether the versions of a data source have a staged one."""
    return any(space.get(_STAGING) == "true" for space in _elements(exchange, f"{_APP}workspace"))


def with_schema(source: SourceUnderTest, exchange: Exchange) -> SourceUnderTest:
    """The data source with the properties that its `$metadata` has."""
    for each in _elements(exchange, "{*}EntityType"):
        if str(each.get("Name")).lower() == source.path.rpartition("/")[2].lower():
            types = tuple((str(one.get("Name")), str(one.get("Type"))) for one in each.iterfind("{*}Property"))
            keys = [str(one.get("Name")) for one in each.iterfind("{*}Key/{*}PropertyRef")]
            return replace(source, types=types, key="".join(keys[:1]))
    return source


def with_entity(source: SourceUnderTest, entity: ParsedEntity) -> SourceUnderTest:
    """The data source with its first entity's id and coordinates."""
    quoted = str(entity.url).partition("('")[2].removesuffix("')")
    source = replace(source, id=unquote(quoted).replace("''", "'"))
    latitude, longitude = entity.number("Latitude"), entity.number("Longitude")
    if latitude is None or longitude is None or abs(latitude) > MAX_LATITUDE or abs(longitude) > MAX_LONGITUDE:
        return source
    return replace(source, latitude=f"{latitude:.6f}", longitude=f"{longitude:.6f}")


def _elements(exchange: Exchange, name: str) -> Iterator[etree._Element]:
    """The elements of a successful answer with this name; none if it is no XML."""
    if exchange.status == HTTPStatus.OK and not is_huge(exchange.body):
        try:
            yield from read_xml(exchange.body).iter(name)
        except (ValueError, etree.LxmlError):
            return
