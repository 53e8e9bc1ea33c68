"""Forms of XML that shipped clients send, and the echo of each (geocode.md, 2.1 and 3.3)."""

import gzip

import pytest
from lxml import etree

from adapters.model.geocoding import ForwardItem, ReverseItem
from proxy.formats.schema import InvalidDataError
from tests.unit.formats.geocode.jobs import items, read, run

NAMESPACE = "http://schemas.microsoft.com/search/local/2010/5/geocode"
XHTML = "http://www.w3.org/1999/xhtml"
DENVER = ForwardItem("Denver")
QUERY = '<GeocodeEntity Id="1"><GeocodeRequest Query="Denver" /></GeocodeEntity>'


def feed(*entities: str, attributes: str = f' Version="2.0" xmlns="{NAMESPACE}"', before: str = "") -> bytes:
    return f"{before}<GeocodeFeed{attributes}>\n{''.join(entities)}\n</GeocodeFeed>".encode()


def entity(inner: str) -> str:
    return f'<GeocodeEntity Id="1">{inner}</GeocodeEntity>'


def echo(inner: str, attributes: str = f' Version="2.0" xmlns="{NAMESPACE}"') -> str:
    """What the failed output repeats of an entity's requests."""
    line = run(feed(entity(inner), attributes=attributes), "xml").failed.splitlines()[2]
    return line.partition(f'<GeocodeEntity Id="1" xmlns="{NAMESPACE}">')[2].partition(
        "<StatusCode>" if "Version" in attributes else "<GeocodeResponse "
    )[0]


@pytest.mark.parametrize(
    "data",
    [
        feed(QUERY),
        feed(QUERY, attributes=""),
        feed(QUERY, attributes=f' xmlns="{NAMESPACE}"'),
        feed(QUERY.replace("GeocodeEntity Id", 'GeocodeEntity xmlns="" Id')),
        feed(QUERY.replace("GeocodeRequest ", 'GeocodeRequest xmlns="" ')),
        feed(QUERY.lower().replace("denver", "Denver").replace("<geocodeentity", f'<geocodeentity xmlns="{XHTML}"')),
        feed(QUERY.upper().replace("DENVER", "Denver")),
        feed(QUERY, before='<?xml version="1.0" encoding="utf-8"?>\r\n  \r\n'),
        feed(QUERY, before="<!-- ours --><?style none?>"),
        b"\xef\xbb\xbf" + feed(QUERY, before='<?xml version="1.0" encoding="utf-8"?>'),
        gzip.compress(b"\xef\xbb\xbf" + feed(QUERY), mtime=0),
        feed(QUERY)
        .replace(b"<GeocodeFeed", b"<g:GeocodeFeed")
        .replace(b"</GeocodeFeed", b"</g:GeocodeFeed")
        .replace(b"xmlns=", b"xmlns:g="),
        feed(QUERY).decode().encode("utf-16"),
    ],
)
def test_names_are_read_by_their_local_part_in_any_letter_case(data: bytes) -> None:
    assert items(data, "xml") == [DENVER]


def test_an_entity_needs_no_id_and_ids_may_be_any_text_and_double() -> None:
    request = '<GeocodeRequest Query="zzz" />'
    ids = ["", ' Id="007"', ' Id="007"', ' Id="a&#10;&lt;&amp;="', ' Id="" MaxResults="3"']
    done = run(feed(*(f"<GeocodeEntity{id_}>{request}</GeocodeEntity>" for id_ in ids)), "xml")
    written = [line.partition(" xmlns")[0] for line in done.failed.splitlines()[2:-1]]
    assert written == [
        "<GeocodeEntity", '<GeocodeEntity Id="007"', '<GeocodeEntity Id="007"',
        '<GeocodeEntity Id="a&#10;&lt;&amp;="', "<GeocodeEntity",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        (
            (
                '<GeocodeRequest MaxResults="2" StrictMatch="1" Query="q" IncludeQueryParse="TRUE" Culture="en-US" '
                'IncludeNeighborhood="1"><ConfidenceFilter MinimumConfidence="HIGH"/><Address Landmark="x" '
                'PostalCode="p" Locality="l" CountryRegion="US" AdminDistrict="a" AddressLine="s"/></GeocodeRequest>'
            ),
            (
                '<GeocodeRequest Culture="en-US" IncludeNeighborhood="true" MaxResults="2" Query="q" '
                'IncludeQueryParse="true" StrictMatch="true"><Address AddressLine="s" AdminDistrict="a" '
                'CountryRegion="US" Locality="l" PostalCode="p" Landmark="x" />'
                '<ConfidenceFilter MinimumConfidence="HIGH" /></GeocodeRequest>'
            ),
        ),
        (
            (
                '<ReverseGeocodeRequest MaxResults="300" IncludeNeighborhood="0" IncludeEntityTypes="Address">'
                '<ConfidenceFilter MinimumConfidence="none"/><Location Longitude="20.50" Latitude="+10"/>'
                "</ReverseGeocodeRequest>"
            ),
            (
                '<ReverseGeocodeRequest IncludeEntityTypes="Address" MaxResults="300"><Location Latitude="+10" '
                'Longitude="20.50" /><ConfidenceFilter MinimumConfidence="none" /></ReverseGeocodeRequest>'
            ),
        ),
        (
            (
                '<GeocodeRequest IncludeEntityTypes="0" Other="x" Query="" IncludeQueryParse="yes" MaxResults="many">'
                '<Address Landmark="" Neighborhood="n" AddressLine=""/></GeocodeRequest>'
            ),
            "<GeocodeRequest><Address /></GeocodeRequest>",
        ),
        ("<GeocodeRequest></GeocodeRequest>", "<GeocodeRequest />"),
        (
            '<ReverseGeocodeRequest><Location Latitude="abc" Longitude="NaN" /></ReverseGeocodeRequest>',
            "<ReverseGeocodeRequest><Location /></ReverseGeocodeRequest>",
        ),
        (
            '<GeocodeRequest Query=" a&#9;b&#10;c&#13;&quot;&apos;&lt;&gt;&amp;  &#x1F600; " />',
            '<GeocodeRequest Query=" a&#9;b&#10;c&#13;&quot;\'&lt;&gt;&amp;  \U0001f600 " />',
        ),
        (
            (
                '<ReverseGeocodeRequest><Location Latitude="1" Longitude="2"/></ReverseGeocodeRequest>'
                '<GeocodeRequest Query="q"/>'
            ),
            (
                '<ReverseGeocodeRequest><Location Latitude="1" Longitude="2" /></ReverseGeocodeRequest>'
                '<GeocodeRequest Query="q" />'
            ),
        ),
        ("<Other/>", ""),
    ],
)
def test_a_request_is_repeated_in_the_form_of_bing(sent: str, echoed: str) -> None:
    assert echo(sent) == echoed


def test_version_1_has_no_strict_match() -> None:
    sent = '<GeocodeRequest StrictMatch="true" Query="q"><Address District="d" CountryRegion="US"/></GeocodeRequest>'
    echoed = '<GeocodeRequest Query="q"><Address CountryRegion="US" District="d" /></GeocodeRequest>'
    assert echo(sent, "") == echoed
    assert items(feed(entity(sent), attributes=""), "xml") == [ForwardItem("q")]


@pytest.mark.parametrize(
    ("inner", "item"),
    [
        ('<GeocodeRequest Query="q" MaxResults="20"/>', ForwardItem("q", top=20)),
        ('<GeocodeRequest Query="q" MaxResults="21"/>', ForwardItem("q", top=1)),
        ('<GeocodeRequest Query="q" MaxResults="0"/>', ForwardItem("q", top=1)),
        ('<GeocodeRequest Query="q" MaxResults="2" StrictMatch="1"/>', ForwardItem("q", top=5)),
        (
            '<GeocodeRequest Query="q" MaxResults="9"><ConfidenceFilter MinimumConfidence="low"/></GeocodeRequest>',
            ForwardItem("q", top=9),
        ),
        (
            '<GeocodeRequest Query="q"><ConfidenceFilter MinimumConfidence="best"/></GeocodeRequest>',
            ForwardItem("q", top=1),
        ),
        (
            '<GeocodeRequest Query=" "><Address AdminDistrict2="c" District="d" /></GeocodeRequest>',
            ForwardItem(admin_district2="c"),
        ),
        (
            (
                '<GeocodeRequest><Address/></GeocodeRequest><ReverseGeocodeRequest MaxResults="4">'
                '<Location Latitude="1" Longitude="2"/></ReverseGeocodeRequest>'
            ),
            ReverseItem(1, 2),
        ),
        (
            (
                '<ReverseGeocodeRequest IncludeEntityTypes="postcode1, ADDRESS,,Address">'
                '<Location Latitude="1" Longitude="2"/></ReverseGeocodeRequest>'
            ),
            ReverseItem(1, 2, ("Postcode1", "Address")),
        ),
        (
            (
                '<ReverseGeocodeRequest IncludeEntityTypes="Address,Park">'
                '<Location Latitude="1" Longitude="2"/></ReverseGeocodeRequest>'
            ),
            ReverseItem(1, 2),
        ),
    ],
)
def test_a_request_becomes_an_item(inner: str, item: ForwardItem | ReverseItem) -> None:
    assert items(feed(entity(inner)), "xml") == [item]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (feed(QUERY)[:-20], "no well-formed XML"),
        (b"<Feed>" + QUERY.encode() + b"</Feed>", "the root element is 'Feed'; it has to be GeocodeFeed"),
        (feed(QUERY, attributes=' Version="3.0"'), "the Version of the GeocodeFeed is '3.0'"),
        (feed("<GeocodeEntitty/>"), "holds no GeocodeEntity, but 'GeocodeEntitty'"),
        (feed(QUERY).replace(b"Denver", b"Dra\xf8r"), "0xF8 is not UTF-8"),
        (feed(QUERY, before="<!DOCTYPE GeocodeFeed>"), "DOCTYPE"),
        (b"Bing Spatial Data Services, 2.0\nId\n", "no XML"),
        (b" ", "empty"),
    ],
)
def test_a_file_that_is_no_feed_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InvalidDataError, match=says):
        read(data, "xml")


def test_an_empty_feed_makes_a_job_without_outputs() -> None:
    done = run(feed(), "xml")
    assert (done.counts.total, done.succeeded, done.failed) == (0, "", "")


def test_other_elements_beside_entities_are_passed_over() -> None:
    assert items(feed("<Title>x</Title>", QUERY, "<Note/>"), "xml") == [DENVER]


def test_outputs_are_well_formed_and_of_the_default_namespace() -> None:
    done = run(feed(QUERY), "xml")
    root = etree.fromstring(done.failed.encode())
    assert {etree.QName(one).namespace for one in root.iter()} == {NAMESPACE}
    assert {one.prefix for one in root.iter()} == {None}
