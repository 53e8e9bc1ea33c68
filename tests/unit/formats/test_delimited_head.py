"""The first two lines of text are read as programs save them; other data is refused with its likely kind."""

import gzip
from zipfile import ZIP_STORED

import pytest

from proxy.formats.schema import InvalidDataError
from tests.unit.formats.loading import HEAD, PLACE, csv_of, load, placed, zipped

HEADER = f"EntityID(Edm.String,primaryKey),{PLACE}"
WHOLE = csv_of(HEADER, "1,2,3")
TITLE = "Bing Spatial Data Services"


@pytest.mark.parametrize(
    "line",
    [
        "Bing Spatial Data Services,1.0,Shops",
        "bing spatial data services, 1.0, Shops  ",
        "BING  SPATIAL\u00a0DATA SERVICES,1.0,Shops",
        "Bing Spatial Data Services, 1.0, Shops,,,",
        '"Bing Spatial Data Services, 1.0, Shops",,,',
        ' "Bing Spatial Data Services" , "1" , " Shops" , ,',
        "Bing Spatial Data Services,1, Shops,,",
        "\n \nBing Spatial Data Services, 1.0, Shops\n",
    ],
)
@pytest.mark.parametrize("by", [",", "\t", "|"])
def test_the_version_line_is_read_as_programs_save_it(line: str, by: str) -> None:
    header, row = HEADER.replace("),", f"){by}"), by.join("123")
    if by != "," and '" ,' not in line:
        line = line.replace(",,", by * 2)
    form = {",": "csv", "\t": "tab", "|": "pipe"}[by]
    assert load(f"{line}\n{header}\n{row}\n".encode(), form).entity_type.name == "Shops"


@pytest.mark.parametrize(
    "header",
    [
        f"{HEADER}  ",
        f"{HEADER},, ,",
        f" {HEADER}",
        HEADER.replace("),", ") , "),
        HEADER.replace("(", " ( ").replace(")", " )"),
        HEADER.upper().replace("ENTITYID", "EntityID").replace("TUDE", "tude").replace("LATI", "Lati"),
        HEADER.lower().replace("entityid", "EntityID"),
        ",".join(f'"{cell}"' for cell in ("EntityID(Edm.String,primaryKey)", *PLACE.split(","))),
        ",".join(f'"{cell}"' for cell in HEADER.split(",")),
        ",".join(f' " {cell} " ' for cell in HEADER.split(",")) + ",,",
        f"\n\t\n{HEADER}",
    ],
)
def test_the_schema_line_is_read_as_programs_save_it(header: str) -> None:
    (entity,) = load(csv_of(header, "1,2,3"), "csv").entities
    assert list(entity.values()) == ["1", 2, 3]


@pytest.mark.parametrize("form", ["tab", "pipe"])
def test_a_key_in_quotes_is_read_in_all_formats(form: str) -> None:
    by = {"tab": "\t", "pipe": "|"}[form]
    header = by.join(['"EntityID(Edm.String,primaryKey)"', *PLACE.split(",")])
    assert load(f"{TITLE}, 1.0, Shops\n{header}\n1{by}2{by}3".encode(), form).entities[0]["EntityID"] == "1"


def test_an_only_property_may_be_the_key_beside_the_location() -> None:
    loaded = load(placed("EntityID(Edm.String,primaryKey)", "1", "", "2"), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]


@pytest.mark.parametrize(
    ("form", "data", "parts"),
    [
        ("csv", b"", ["line 1 is ''", "it is empty"]),
        ("csv", b"EntityID,Name\n1,a\n", ["line 1 is 'EntityID,Name'", "the line with the entity type and that with"]),
        ("csv", f"{HEADER}\n1,2,3".encode(), ["line 1 is 'EntityID(Edm", "this line is missing, and the schema comes"]),
        ("csv", f"{TITLE}, 2.0, Shops\n".encode(), ["line 1 is 'Bing", "the version is '2.0'"]),
        ("csv", f"{TITLE}\n".encode(), ["line 1 is 'Bing", "the version is missing"]),
        ("csv", f"{TITLE}, 1.0\n".encode(), ["line 1 is 'Bing", "the entity type is missing"]),
        ("csv", f'"{TITLE}",1, ,,\n'.encode(), ["line 1 is '\"Bing", "the entity type is missing"]),
        ("csv", f"{TITLE}, 1.0, Shops, more\n".encode(), ["line 1 is 'Bing", "'more' is too much"]),
        (
            "csv",
            f"{TITLE};1;Shops;;\n".encode(),
            ["line 1 is separated by semicolons (;)", "input=csv means commas (,)"],
        ),
        ("csv", f'"{TITLE}";1;Shops;;\n'.encode(), ["separated by semicolons (;)", "save it with commas (,)"]),
        ("csv", f"{TITLE}, 1.0, Shops;;;\n".encode(), ["separated by semicolons (;)", "input=csv means commas (,)"]),
        ("csv", f"{TITLE}\t1.0\tShops\n".encode(), ["separated by tabs", "input=csv means commas (,): send input=tab"]),
        ("tab", f"{TITLE}|1.0|Shops\n".encode(), ["separated by pipes (|)", "input=tab means tabs: send input=pipe"]),
        (
            "pipe",
            WHOLE,
            ["line 2 is separated by commas (,)", "input=pipe means pipes (|): send input=csv", "EntityID"],
        ),
        ("tab", WHOLE, ["line 2 is separated by commas (,)", "input=tab means tabs: send input=csv"]),
        ("csv", WHOLE.replace(b"),", b")|"), ["line 2 is separated by pipes (|)", "input=csv means commas (,)"]),
        ("csv", WHOLE.replace(b"),", b")\t"), ["line 2 is separated by tabs", "input=csv means commas (,)"]),
        ("csv", WHOLE.replace(b",", b";"), ["separated by semicolons (;)", "input=csv means commas (,)"]),
        (
            "csv",
            HEAD + HEADER.replace(",", ";").encode() + b"\n1;2;3",
            ["line 2 is separated by semicolons (;)", "save it with commas (,)"],
        ),
        ("csv", WHOLE.replace(b"\n", b""), ["curl --data-binary"]),
        ("pipe", WHOLE.replace(b"),", b")|").replace(b"\n", b""), ["curl --data-binary"]),
        ("csv", HEAD, ["line 2 is empty", "EntityID(Edm.String,primaryKey)"]),
        ("csv", HEAD + b"EntityID,Name\n1,a\n", ["line 2, property 1, is 'EntityID'", "Name(Edm.String)"]),
        ("csv", b"a" * 10_000_000, ["line 1 is 'aaa", "262,144"]),
        ("csv", HEAD + b"," * 300_000 + b"a", ["line 2 is", "262,144"]),
        ("csv", zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), ["it is an Excel workbook"]),
        (
            "csv",
            zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), method=ZIP_STORED),
            ["OpenDocument workbook"],
        ),
        ("csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), ["it is an Excel workbook"]),
        ("csv", zipped(("a.shp", b""), ("a.shx", b""), ("a.dbf", b"")), ["input=shp"]),
        ("csv", zipped(("doc.kml", b"<kml/>"), ("a.png", b"")), ["input=kml"]),
        ("csv", b'\xef\xbb\xbf<?xml version="1.0"?>\n<a/>', ["line 1 is '<?xml", "it is XML: send input=xml"]),
        ("csv", '<?xml version="1.0"?>\n<a/>'.encode("utf-16"), ["it is XML: send input=xml"]),
        ("tab", b'<?xml version="1.0"?><kml></kml>', ["it is KML: send input=kml"]),
        ("pipe", b"<!DOCTYPE html><html></html>", ["it is a page of HTML"]),
        ("csv", b'[{"EntityID": "1"}]', ["it is JSON"]),
        ("csv", b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + WHOLE, ["multipart/form-data"]),
        ("csv", b"data=Bing+Spatial+Data+Services%2C+1.0", ["it is URL-encoded"]),
        ("csv", b"Bing%20Spatial%20Data%20Services%2C1.0", ["it is URL-encoded"]),
        ("csv", WHOLE.decode().encode("utf-16-le"), ["line 1 is 'B i n g", "UTF-16 without a byte order mark"]),
        ("csv", WHOLE.decode().encode("utf-16-be"), ["UTF-16 without a byte order mark"]),
        ("csv", WHOLE.decode().encode("utf-32"), ["it is UTF-32"]),
        ("csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["the line with the entity type and that with"]),
        ("csv", bytes(1000), ["the line with the entity type and that with"]),
        ("csv", gzip.compress(gzip.compress(WHOLE)), ["it is packed twice"]),
        ("xml", WHOLE, ["the data is no XML", "send input=csv, tab or pipe"]),
        ("kml", WHOLE, ["send input=csv, tab or pipe"]),
        ("shp", WHOLE, ["send input=csv, tab or pipe"]),
        ("xml", b"<kml></kml>", ["it is KML: send input=kml"]),
        ("xml", b"", ["it is empty"]),
        ("csv", WHOLE.decode().encode("utf-16") + b"\x00\xd8\n\x00", ["line 4: the text is not UTF-16"]),
        (
            "csv",
            HEAD.replace(b"Shops", b"Caf\xe9") + WHOLE,
            ["line 1: the byte 0xE9 is not UTF-8", "Windows-1252 or L"],
        ),
        ("csv", WHOLE + b"a\rb\r\nc,\x93", ["line 6: the byte 0x93 is not UTF-8", "probably in Windows-1252:"]),
    ],
)
def test_other_data_is_refused_with_its_likely_kind(form: str, data: bytes, parts: list[str]) -> None:
    with pytest.raises(InvalidDataError) as raised:
        load(data, form)
    for part in parts:
        assert part in str(raised.value)
    assert len(str(raised.value)) < 500


def test_a_broken_file_of_its_input_is_not_called_another() -> None:
    for form, data in (("xml", b"<a/>"), ("kml", b"<kml"), ("csv", HEAD), ("shp", zipped(("a.shp", b"")))):
        with pytest.raises(InvalidDataError) as raised:
            load(data, form)
        assert "send input=" not in str(raised.value)
