"""Clients that read Atom, each with what would break it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.dom import minidom
from xml.etree import ElementTree as ET

import pytest

from tests.support.queries import AREAS, Queries

TOOLKIT = "key={key}&clientApi=SDSToolkit"
NEAR = "spatialFilter=nearby(40.83275,-74.31633,5)"
NOT_EIGHTS = "not (startsWith(EntityID,''-8'')) And Open Gt 700"
NAMES = {
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
    "a": "http://www.w3.org/2005/Atom",
}
TYPE = f"{{{NAMES['m']}}}type"
TYPES: dict[str, Callable[[str], object]] = {
    "Edm.Double": float,
    "Edm.Int64": int,
    "Edm.Boolean": lambda text: text.lower() in {"1", "true", "yes"},
}


def parse(body: bytes) -> ET.Element:
    return ET.fromstring(body)  # noqa: S314 - our own server's


def dom(body: bytes) -> minidom.Document:
    return minidom.parseString(body)  # noqa: S318 - the same


def text_of(element: minidom.Element) -> str:
    return "".join(child.data for child in element.childNodes if isinstance(child, minidom.Text))


class ToolkitError(Exception):
    """The toolkit throws, and its caller gets nothing of the rest."""


@dataclass
class Place:
    """An entity as the .NET toolkit has it."""

    url: str
    latitude: float = 0.0
    longitude: float = 0.0
    distance: float | None = None
    properties: dict[str, object] = field(default_factory=dict)


def toolkit_read(body: bytes) -> list[Place]:
    """Reads as the toolkit does: every entry, its id, the first node of its content, properties by local name."""
    return [_toolkit_entry(entry) for entry in parse(body).iter(f"{{{NAMES['a']}}}entry")]


def _toolkit_entry(entry: ET.Element) -> Place:
    id_, content = entry.find("a:id", NAMES), entry.find("a:content", NAMES)
    if id_ is None or content is None:
        raise ToolkitError("an entry without id or content")
    if content.text or not len(content):
        raise ToolkitError("something stands before the properties")
    place = Place(str(id_.text))
    for each in content[0]:
        name, text = each.tag.partition("}")[2], each.text or ""
        if each.attrib and TYPE not in each.attrib:
            raise ToolkitError("a property with an attribute has no type")
        match name.lower():
            case "latitude":
                place.latitude = float(text)
            case "longitude":
                place.longitude = float(text)
            case "__distance":
                place.distance = float(text)
            case _ if text:
                place.properties[name] = TYPES.get(each.attrib.get(TYPE, ""), str)(text)
    return place


@pytest.mark.parametrize(
    ("request_", "ids"),
    [
        (f"FourthCoffeeShops?{NEAR}&$select=*,__Distance&$top=2&{TOOLKIT}", ["-8051", "-8174"]),
        (f"FourthCoffeeShops?&$filter=Name eq 'Fourth Coffee Store %238051'&{TOOLKIT}", ["-8051"]),
        (f"FourthCoffeeShops?&$filter=EntityID in ('-8174','-8051','none')&{TOOLKIT}", ["-8051", "-8174"]),
        (
            f"FourthCoffeeShops?&$filter={NOT_EIGHTS}&$orderby=EntityID&$top=1&{TOOLKIT}",
            ["-18147"],
        ),
        (
            f"FourthCoffeeShops?spatialFilter=bbox(40.8,-74.4,40.9,-74.2)&$select=*,__Distance&$top=1&{TOOLKIT}",
            ["-8051"],
        ),
    ],
)
def test_the_toolkit_gets_every_entry(request_: str, ids: list[str], shops: Queries) -> None:
    """It breaks on an entry without id, on anything before m:properties, on attributes without m:type."""
    found = toolkit_read(shops.ask(request_).body)
    assert [place.url.rpartition("('")[2] for place in found] == [f"{id_}')" for id_ in ids]
    for place in found:
        assert place.latitude
        assert place.longitude
        assert (place.distance is not None) == ("__Distance" in request_)
        assert isinstance(place.properties["Open"], int)
        assert place.properties["AcceptsCoffeeCards"] in {True, False}


def test_the_toolkit_gets_what_meets_its_shape(shops: Queries) -> None:
    """It sends well-known text as it stands, and asks for an intersection that it finds among the properties."""
    areas = Queries(shops.server, AREAS)
    shape = "POLYGON((4 4,6 4,6 6,4 6,4 4))"
    request = f"Areas?spatialFilter=intersects('{shape}')&$select=*,intersection('{shape}')&{TOOLKIT}"
    found = {place.url[-5:-2]: place.properties for place in toolkit_read(areas.ask(request).body)}
    assert [each["__IntersectedGeom"] for each in found.values()]
    assert all(str(each["Boundary"]).startswith(("POLYGON (", "LINESTRING (")) for each in found.values())


def test_the_toolkit_gets_nothing_where_there_is_nothing(shops: Queries) -> None:
    """It breaks on a 404 of an empty list."""
    assert toolkit_read(shops.ask(f"FourthCoffeeShops?spatialFilter=nearby(0,0,1)&{TOOLKIT}").body) == []


def test_the_documents_csharp_finds_names_with_their_prefixes(shops: Queries) -> None:
    """It breaks on other prefixes, on declarations below the root, and on a property that is left out by default."""
    document = dom(shops.ask("FourthCoffeeShops?$filter=AcceptsCoffeeCards Eq True&$top=5").body)
    for entry in document.getElementsByTagName("entry"):
        (content,) = entry.getElementsByTagName("content")
        (properties,) = content.getElementsByTagName("m:properties")
        assert content.firstChild is properties
        for name in ("d:Name", "d:Latitude", "d:Longitude", "d:EntityID", "d:PostalCode", "d:AddressLine"):
            assert text_of(properties.getElementsByTagName(name)[0]), name
    (one,) = dom(shops.ask("FourthCoffeeShops('-22067')").body).getElementsByTagName("m:properties")
    assert text_of(one.getElementsByTagName("d:PrimaryCity")[0]) == "Aalborg"


def test_pythons_element_tree_finds_names_by_its_own_prefixes(shops: Queries) -> None:
    """It breaks on other namespaces."""
    own = {"data": NAMES["d"], "meta": NAMES["m"]}
    root = parse(shops.ask(f"FourthCoffeeShops?{NEAR}&$select=DisplayName,__Distance&$top=3").body)
    names = [each.text for each in root.findall(".//meta:properties/data:DisplayName", own)]
    distances = [float(each.text or "") for each in root.findall(".//meta:properties/data:__Distance", own)]
    assert len(names) == len(distances) == 3
    assert distances == sorted(distances)


def test_xdocument_takes_the_first_entry(shops: Queries) -> None:
    """It throws where there is none, and reads the element that follows the title."""
    root = parse(shops.ask(f"FourthCoffeeShops?{NEAR}&$top=1&key={{key}}").body)
    first = next(iter(root.iter(f"{{{NAMES['a']}}}entry")))
    assert [each.tag.partition("}")[2] for each in first] == ["id", "title", "updated", "content"]


def test_wpf_samples_write_names_and_words_as_they_like(shops: Queries) -> None:
    """They break where letter case counts."""
    request = "FourthCoffeeShops?spatialfilter=NEARBY(40.83275,-74.31633,5)&$FILTER=StoreType EQ 'coffee shop'&$TOP=1"
    assert len(toolkit_read(shops.ask(request).body)) == 1
