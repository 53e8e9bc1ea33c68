"""XML in the DataSet dialect loads whatever its form, and strangers' tricks do not."""

import pytest

from proxy.formats.schema import EdmType, InvalidDataError
from tests.unit.formats.loading import export, load, xml_of
from tests.unit.formats.samples import FOURTH_COFFEE

PROPERTIES = ("Name:string", "Open:long", "Latitude:double", "Longitude:double")
SHOP = "<Shops><EntityID>1</EntityID><Name>a</Name><Open>5</Open><Latitude>1</Latitude><Longitude>2</Longitude></Shops>"


def with_id(id_: int) -> str:
    return SHOP.replace("<EntityID>1", f"<EntityID>{id_}")


READ = {"EntityID": "1", "Name": "a", "Open": 5, "Latitude": 1, "Longitude": 2}


def test_documented_sample_loads() -> None:
    loaded = load(FOURTH_COFFEE, "xml")
    assert loaded.failures == []
    assert loaded.entity_type.name == "FourthCoffeeShops"
    assert {property_.name: property_.type for property_ in loaded.entity_type.properties}[
        "CreatedDate"
    ] is EdmType.DATETIME
    first, second = loaded.entities
    assert first["AddressLine"] == "Løven"
    assert first["CreatedDate"] % 10_000_000 == 4350494
    assert (second["Latitude"], second["IsWiFiHotSpot"], second["StoreLayout"]) == (47.640568390488625, True, None)


@pytest.mark.parametrize(
    "entity",
    [
        SHOP,
        SHOP.replace("><", ">\r\n\t <"),
        SHOP.replace("<Shops>", '<Shops xml:lang="en">'),
        SHOP.replace("<Name>a</Name>", "<Name><![CDATA[a]]></Name>"),
        SHOP.replace("<Name>a</Name>", "<Name>&#x61;</Name>"),
        SHOP.replace("<Name>a</Name>", "<Name><!-- </Shops> <Shops> -->a</Name>"),
        SHOP.replace("<Name>a</Name>", "<?note </Shops>?><Name>a</Name>"),
        SHOP.replace("<Name>a</Name><Open>5</Open>", "<Open>5</Open><Name>a</Name>"),
        SHOP.replace("<Open>5</Open>", "<open> 5 </open>"),
        SHOP.replace("Shops>", "s:Shops>").replace("<s:Shops>", '<s:Shops xmlns:s="urn:s">', 1),
        SHOP.replace("Shops>", "Shops >"),
        f"<!-- {SHOP} -->{SHOP}",
    ],
)
def test_entity_in_any_legal_form_reads_the_same(entity: str) -> None:
    regular = with_id(0), with_id(2)
    loaded = load(xml_of(regular[0] + entity + regular[1], *PROPERTIES), "xml")
    assert loaded.failures == []
    assert loaded.entities == [READ | {"EntityID": "0"}, READ, READ | {"EntityID": "2"}]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", ""),
        ("  a  ", "  a  "),
        ("a\r\nb", "a\nb"),
        ("&amp;&lt;&#xD;", "&<\r"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),
        ("x" * 2560, "x" * 2560),
    ],
)
def test_string_value_reads_as_xml_defines_it(written: str, value: str) -> None:
    loaded = load(xml_of(f"<Shops><EntityID>1</EntityID><Name>{written}</Name></Shops>", "Name:string"), "xml")
    assert loaded.entities[0]["Name"] == value


@pytest.mark.parametrize(
    "written",
    [
        "<Open></Open>",
        "<Open/>",
        "<Open>\n</Open>",
        "",
        '<Open xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>',
    ],
)
def test_empty_number_is_missing(written: str) -> None:
    assert (
        load(xml_of(f"<Shops><EntityID>1</EntityID>{written}</Shops>", "Open:long"), "xml").entities[0]["Open"] is None
    )


@pytest.mark.parametrize(
    ("entity", "id_", "reason"),
    [
        (
            "<Shops><EntityID>9</EntityID><Other>1</Other></Shops>",
            "9",
            "has a property that the schema doesn't name: Other",
        ),
        ("<Shops><EntityID>9</EntityID><EntityID>8</EntityID></Shops>", "8", "has EntityID twice"),
        ("<Shops><Name><b>x</b></Name></Shops>", None, "has elements inside of Name: b"),
        ("<Shops>text<EntityID>9</EntityID></Shops>", "9", "has text beside its properties: text"),
        ("<Others><EntityID>9</EntityID></Others>", "9", "is no Shops but Others"),
        ("<Shops/>", None, "EntityID is missing"),
    ],
)
def test_entity_outside_the_schema_fails_alone(entity: str, id_: str | None, reason: str) -> None:
    data = xml_of(f"  {SHOP}\n  {entity}\n  {with_id(2)}\n  <Shops/>", *PROPERTIES)
    loaded = load(data, "xml")
    assert [row["EntityID"] for row in loaded.entities] == ["1", "2"]
    line = data.split(entity.encode())[0].count(b"\n") + 1
    failure = next(failure for failure in loaded.failures if failure.location.startswith("entity 2"))
    assert (failure.location, failure.entity_id, failure.reason) == (f"entity 2 (line {line})", id_, reason)
    assert loaded.failures[-1].location == f"entity 4 (line {line + 2})"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the data is empty"),
        (b"EntityID,Name\n1,a", "it begins with 'EntityID,Name"),
        (b"<Data/>", "no schema"),
        (b"<!DOCTYPE x>" + xml_of(SHOP), "document type"),
        (b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c SYSTEM "file:///etc/passwd">]>' + xml_of(SHOP), "document type"),
        (xml_of(SHOP, *PROPERTIES).replace(b"UTF-8", b"rot13"), "names the encoding rot13, which is not known"),
        (xml_of(SHOP, *PROPERTIES).replace(b">a<", b">\xff<"), "UTF-8"),
        (xml_of(SHOP.replace(">a<", ">&#x7;<"), *PROPERTIES), "no well-formed XML"),
        (xml_of(SHOP.replace(">a<", ">\x07<"), *PROPERTIES), "no well-formed XML"),
        (xml_of(SHOP, *PROPERTIES)[:-40], "no well-formed XML"),
        (xml_of(SHOP, *PROPERTIES) + b"<more/>", "no well-formed XML"),
        (xml_of("<a>" * 300, *PROPERTIES), "such as 256 elements in each other"),
        (xml_of(SHOP.replace(">a<", f">{'a' * 9_000_000}<"), *PROPERTIES), "larger than 8,388,608 bytes"),
        (xml_of(f"<!-- {'a' * 9_000_000} -->{SHOP}", *PROPERTIES), "larger than 8,388,608 bytes"),
        (xml_of("<Shops>" + f"<{'a' * 100}/>" * 90_000 + "</Shops>", *PROPERTIES), "larger than 8,388,608 bytes"),
        (b"<Data><!--" + b"a" * 9_000_000, "larger than 8,388,608 bytes"),
        (xml_of(f"<A>{'<a/>' * 300_000}", *PROPERTIES), "holds more than 200,000 others"),
        (xml_of("<A " + " ".join(f"xmlns:n{at}='u'" for at in range(5_001)) + "/>"), "more than 5,000 namespaces"),
        (xml_of('<a xmlns:b="a b"/>' * 200, *PROPERTIES), "line 9: 100 or more names of namespaces are no URIs"),
    ],
)
def test_invalid_xml_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(data, "xml")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("windows-1252", "cp1252"),
        ("ISO-8859-1", "latin-1"),
        ("us-ascii", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("shift_jis", "shift_jis"),
    ],
)
def test_declared_encoding_is_decoded(declared: str, encoding: str) -> None:
    name = "ハイライト" if encoding == "shift_jis" else "Café" * 30_000
    text = xml_of(SHOP.replace(">a<", f">{name[:2_000]}<") + f"<!--{name}-->", *PROPERTIES).decode()
    loaded = load(text.replace("UTF-8", declared).encode(encoding), "xml")
    assert (loaded.entities[0]["Name"], loaded.failures) == (name[:2_000], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b">a<", b">caf\xe9<", "line 9: the byte 0xE9 is not UTF-8; the text is probably in Windows-1252"),
        (b'"UTF-8"?>', b'"shift_jis"?><!-- \n \xff -->', "line 2: the byte 0xFF is not SHIFT_JIS, which the file says"),
    ],
)
def test_byte_outside_the_encoding_is_named_with_its_line(old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(xml_of(SHOP, *PROPERTIES).replace(old, new, 1), "xml")


WRAPPED = [
    f"<Set>{SHOP}{with_id(2)}</Set>",
    f"{SHOP}<Set>\n<!-- -->{with_id(2)}</Set>",
    f'<d:diffgram xmlns:d="urn:schemas-microsoft-com:xml-diffgram-v1"><Set>{SHOP}{with_id(2)}</Set></d:diffgram>',
    f"<A>{SHOP}</A><A><B>{with_id(2)}</B></A>",
    f'<Set xmlns="urn:s">{with_id(2).replace("<Open>5</Open>", "").replace("</Shops>", "<Open>5</Open></Shops>")}</Set>'
    + SHOP,
]


@pytest.mark.parametrize("entities", WRAPPED)
def test_entities_inside_and_outside_of_wrappers_load(entities: str) -> None:
    loaded = load(xml_of(entities + with_id(3), *PROPERTIES), "xml")
    assert loaded.failures == []
    assert sorted(loaded.entities, key=str) == [READ | {"EntityID": id_} for id_ in "123"]


def test_wrapper_larger_than_a_piece_keeps_the_order() -> None:
    shops = "".join(f"<Others/>\n{with_id(id_)}\n" for id_ in range(2_000))
    loaded = load(xml_of(f"<Set><Set>\n<Set>{shops}<Others/></Set></Set>\n<Others/></Set>", *PROPERTIES), "xml")
    assert [entity["EntityID"] for entity in loaded.entities] == [str(id_) for id_ in range(2_000)]
    assert [failure.location for failure in loaded.failures] == [
        *(f"entity {2 * at + 1} (line {10 + 2 * at})" for at in range(2_001)),
        "entity 4002 (line 4011)",
    ]


def test_other_element_in_a_wrapper_fails_alone() -> None:
    data = xml_of(
        f"<Set><Other><a/><b/></Other>\n<Other/>{SHOP}\n<Other/>{with_id(2)}</Set><Set><a/></Set>", *PROPERTIES
    )
    loaded = load(data, "xml")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]
    assert [(failure.location, failure.reason) for failure in loaded.failures] == [
        ("entity 1 (line 9)", "is no Shops but Other"),
        ("entity 2 (line 10)", "is no Shops but Other"),
        ("entity 4 (line 11)", "is no Shops but Other"),
        ("entity 6 (line 11)", "is no Shops but Set"),
    ]


@pytest.mark.parametrize(
    ("type_", "text"), [("long", "007"), ("int", "7"), ("unsignedShort", "7"), ("integer", "7"), ("string", "x")]
)
def test_whole_number_key_reads_as_text(type_: str, text: str) -> None:
    data = xml_of(SHOP.replace("<EntityID>1", f"<EntityID>{text}"), *PROPERTIES)
    loaded = load(
        data.replace(b'name="EntityID" type="xs:string"', f'name="EntityID" type="xs:{type_}"'.encode()), "xml"
    )
    assert loaded.entities[0]["EntityID"] == text
    assert b'<xs:element name="EntityID" type="xs:string" />' in export(loaded)


def test_foreign_attributes_in_the_schema_are_ignored() -> None:
    data = xml_of(SHOP, *PROPERTIES)
    more = b'<xs:annotation><xs:appinfo><a:b xmlns:a="a b" a:c="1"/></xs:appinfo></xs:annotation>'
    data = data.replace(b"<xs:sequence>", b"<xs:sequence>" + more).replace(
        b'<xs:element name="S"', b'<xs:element xmlns:c="urn:codegen" xmlns:d="a b" c:x="1" d:y="2" name="S"'
    )
    assert load(data, "xml").entities == [READ]


def test_comments_that_look_like_the_schema_are_ignored() -> None:
    data = xml_of(SHOP, *PROPERTIES).replace(b"<Data>", b"<Data>" + b"<!-- schema> </xs:schema> -->" * 200)
    assert load(data, "xml").entities == [READ]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (">a<", ">AT&T<", "line 9: no well-formed XML: a character that can't stand there; & and < .*, near .*AT&T"),
        (">a<", ">a&nbsp;b<", "line 9: .* an entity that XML does not know"),
        ("</Name>", "</Nome>", "line 9: .* an end tag that is not that of the last open element, near .*Nome"),
        ("<Shops>", '<Shops a="1" a="2">', "line 9: .* an attribute stands twice"),
        ("<Shops>", "<x:Shops>", "line 9: .* a prefix that stands for no namespace"),
        (">a<", "><![CDATA[<", "a CDATA section that nothing closes"),
    ],
)
def test_malformed_xml_is_explained_with_line_and_text(old: str, new: str, why: str) -> None:
    with pytest.raises(InvalidDataError, match=why):
        load(xml_of(SHOP.replace(old, new, 1), *PROPERTIES), "xml")


def test_many_entities_come_in_batches() -> None:
    shops = [f"<Shops>{'<!-- -->' * (row % 3 == 0)}<EntityID>{row}</EntityID></Shops>\n" for row in range(12_000)]
    loaded = load(xml_of("".join(shops) + "<Shops/>"), "xml")
    assert [entity["EntityID"] for entity in loaded.entities] == [str(row) for row in range(12_000)]
    assert [batch.entities.num_rows for batch in loaded.batches] == [5_000, 5_000, 2_000]
    assert [failure.location for failure in loaded.failures] == ["entity 12001 (line 12009)"]
