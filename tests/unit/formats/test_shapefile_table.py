"""The attributes of a shapefile: dBase's and FoxPro's types, code pages, deleted and broken records."""

import struct

import pytest

from adapters.model.ticks import parse_ticks
from proxy.formats.schema import EdmType, InvalidDataError
from tests.unit.formats.loading import Loaded, load
from tests.unit.formats.shapefiles import FOXPRO, NAME, dbf, packed, point, points, shp

DAY = 2_440_588  # 1970-01-01
DATES = [("D", 8, 0)]


def loaded(letter: str, length: int, decimals: int, *values: bytes, version: int = 3) -> Loaded:
    table = dbf(
        [NAME, ("A", letter, length, decimals), NAME], [[b"n", value, b"m"] for value in values], version=version
    )
    return load(packed(points(len(values)), table), "shp")


@pytest.mark.parametrize("version", [3, FOXPRO, 0x83, 0xF5])
@pytest.mark.parametrize(
    ("letter", "length", "decimals", "written", "type_", "value"),
    [
        ("C", 5, 0, b" ab", EdmType.STRING, "ab"),
        ("C", 5, 0, b"", EdmType.STRING, None),
        ("N", 9, 0, b"       12", EdmType.INT64, 12),
        ("N", 9, 0, b"12.000", EdmType.INT64, 12),
        ("N", 9, 0, b"-1.2e3", EdmType.INT64, -1200),
        ("N", 9, 0, b"*********", EdmType.INT64, None),
        ("N", 9, 0, b"7\0junk", EdmType.INT64, 7),
        ("N", 9, 2, b".5", EdmType.DOUBLE, 0.5),
        ("N", 19, 0, b"1000000000000000000", EdmType.DOUBLE, 1e18),
        ("F", 9, 2, b"1e3", EdmType.DOUBLE, 1000),
        ("L", 1, 0, b"y", EdmType.BOOLEAN, True),
        ("L", 1, 0, b"F", EdmType.BOOLEAN, False),
        ("L", 1, 0, b"?", EdmType.BOOLEAN, None),
        ("D", 8, 0, b"20100203", EdmType.DATETIME, parse_ticks("2010-02-03T00:00:00Z")),
        ("D", 8, 0, b"00000000", EdmType.DATETIME, None),
        ("T", 8, 0, struct.pack("<2I", DAY, 37_230_500), EdmType.DATETIME, parse_ticks("1970-01-01T10:20:30.5Z")),
        ("T", 8, 0, bytes(8), EdmType.DATETIME, None),
        ("T", 8, 0, b"", EdmType.DATETIME, None),
        ("I", 4, 0, struct.pack("<i", -7), EdmType.INT64, -7),
        ("B", 8, 4, struct.pack("<d", 0.1), EdmType.DOUBLE, 0.1),
        ("Y", 8, 4, struct.pack("<q", -199_900), EdmType.DOUBLE, -19.99),
        ("Y", 8, 4, struct.pack("<q", -5), EdmType.DOUBLE, -0.0005),
    ],
)
def test_field_of_each_type_is_read_in_each_header(
    letter: str, length: int, decimals: int, written: bytes, type_: EdmType, value: object, version: int
) -> None:
    made = loaded(letter, length, decimals, written, version=version)
    assert made.failures == []
    assert {one.name: one.type for one in made.entity_type.properties}["A"] is type_
    assert (made.entities[0]["A"], made.entities[0]["NAME"], made.entities[0]["NAME_2"]) == (value, "n", "m")


@pytest.mark.parametrize(
    ("letter", "length", "written", "value"),
    [
        ("N", 9, b"12.5", "12.5"),
        ("N", 9, b"n/a", "n/a"),
        ("L", 1, b"x", ""),
        ("D", 8, b"2010 2 3", ""),
        ("T", 8, struct.pack("<2I", DAY, 86_400_000), "8c 3d 25 00 00 5c 26 05"),
        ("T", 8, b"\xff" * 8, "ff ff ff ff"),
    ],
)
def test_value_of_another_type_fails_its_record(letter: str, length: int, written: bytes, value: str) -> None:
    zero = b"" if letter != "T" else bytes(8)
    made = loaded(letter, length, 0, zero, written)
    assert [entity["EntityID"] for entity in made.entities] == ["1"]
    [failure] = made.failures
    assert failure.location == "record 2"
    assert failure.reason.startswith("A ")
    assert value in failure.reason or letter in "NL"  # the rules say the others


@pytest.mark.parametrize("version", [3, FOXPRO])
@pytest.mark.parametrize(
    ("letter", "length"), [("M", 10), ("M", 4), ("G", 10), ("P", 10), ("@", 8), ("+", 4), ("O", 8), ("B", 10), ("0", 1)]
)
def test_unsupported_field_type_is_refused_by_letter(letter: str, length: int, version: int) -> None:
    table = dbf([NAME, ("STAMP", letter, length, 0)], [], version=version)
    with pytest.raises(
        InvalidDataError, match=f"field STAMP .* of the type [{letter}] .{length} bytes., which is not read"
    ):
        load(packed(points(1), table), "shp")


def test_clipper_text_length_of_two_bytes_is_read() -> None:
    table = dbf([("NOTE", "C", 44, 1), NAME], [[b"", b""]])
    wide = bytearray(table[:97] + b" " + b"x" * 300 + b"after".ljust(10))
    wide[10:12] = struct.pack("<H", 1 + 300 + 10)
    entity = load(packed(points(1), bytes(wide)), "shp").entities[0]
    assert (entity["NOTE"], entity["NAME"]) == ("x" * 300, "after")


@pytest.mark.parametrize(
    ("page", "language", "written", "text"),
    [
        (None, 0, "Café".encode(), "Café"),
        (None, 0x57, b"Caf\xe9", "Café"),
        (None, 0x65, b"\x8c\xa8\xe0", "Мир"),
        (None, 0x02, b"Caf\x82", "Café"),
        (None, 0x4F, "台北".encode("cp950"), "台北"),
        (None, 0xEE, "Café".encode(), "Café"),
        ("UTF-8", 0x57, "Café".encode(), "Café"),
        ("\ufeffUTF-8\r\n", 0x57, "Café".encode(), "Café"),
        ('"1252"', 0, b"Caf\xe9", "Café"),
        (" ANSI 1252 ", 0, b"Caf\xe9", "Café"),
        ("88591", 0, b"Caf\xe9", "Café"),
        ("LDID/87", 0, b"Caf\xe9", "Café"),
        ("nonsense", 0x57, b"Caf\xe9", "Café"),
        ("hex", 0, "Café".encode(), "Café"),
    ],
)
def test_code_page_comes_from_cpg_then_language_then_utf8(
    page: str | None, language: int, written: bytes, text: str
) -> None:
    more = {} if page is None else {"cpg": page.encode()}
    made = load(packed(points(1), dbf([NAME], [[written]], language=language), **more), "shp")
    assert made.entities[0]["NAME"] == text
    notes = [note.reason for batch in made.batches for note in batch.notes]
    assert [note.partition(": ")[2] for note in notes] == [page] * (page in {"nonsense", "hex"})


def test_bytes_outside_the_code_page_fail_their_record() -> None:
    made = load(packed(points(2), dbf([NAME], [[b"Caf\xe9"], [b"b"]])), "shp")
    assert [entity["NAME"] for entity in made.entities] == ["b"]
    assert made.reasons == [r"NAME has bytes (E9) that are not in the code page utf-8: Caf\xe9"]


def test_deleted_record_fails_and_others_keep_numbers() -> None:
    made = load(packed(points(3), dbf([NAME], [[b"a"], [b"b"], [b"c"]], deleted=[2])), "shp")
    assert [(entity["EntityID"], entity["Longitude"]) for entity in made.entities] == [("1", 1), ("3", 3)]
    assert [(failure.location, failure.reason) for failure in made.failures] == [("record 2", "is marked as deleted")]


def test_table_that_ends_early_is_counted_and_noted() -> None:
    table = dbf([NAME], [[b"a"], [b"b"]], count=5)
    made = load(packed(points(2), table[:-8]), "shp")
    assert made.reasons == ["has attributes that are cut off: the .dbf file ends in them"]
    notes = [(note.location, note.reason) for batch in made.batches for note in batch.notes if not note.order_dependent]
    assert notes == [("the .dbf file", "says that it holds 5 records, and ends before record 3")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (dbf([NAME], [])[:20], "cut off: it has no whole header"),
        (dbf([NAME], [])[:10] + b"\x03\x00" + dbf([NAME], [])[12:], "its sizes don't fit its fields"),
        (b"\x04" + dbf([NAME], [])[1:8] + struct.pack("<H", 69 + 48) + dbf([NAME], [])[10:], "a table of dBase 7"),
        (dbf([(f"F{number}", "L", 1, 0) for number in range(400)], []), "more than 350 fields"),
    ],
)
def test_invalid_table_aborts_the_load(table: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(packed(points(1), table), "shp")


def test_coordinate_attributes_locate_a_record_without_shape() -> None:
    fields = [("LATITUDE", "N", 9, 0), ("Longitude", "N", 9, 3)]
    table = dbf(fields, [[b"48", b"12.5"], [b"49", b"13.5"]])
    null = struct.pack("<i", 0)
    made = load(packed(shp(point(1, 2), null), table), "shp")
    assert made.failures == []
    assert [(one["Latitude"], one["Longitude"], one["LATITUDE_2"], one["Longitude_2"]) for one in made.entities] == [
        (2, 1, 48, 12.5),
        (49, 13.5, 49, 13.5),
    ]
    alone = load(packed(shp(null, null, kind=0), table), "shp")
    assert [(one["Latitude"], one["Longitude"]) for one in alone.entities] == [(48, 12.5), (49, 13.5)]
    assert [one.name for one in alone.entity_type.properties] == ["EntityID", "Geometry", "Latitude", "Longitude"]


def test_attribute_ids_that_repeat_are_numbered() -> None:
    table = dbf([("ENTITYID", "C", 60, 0)], [[b"a"], [b"a"], [b""], [b"3"], [b"x" * 60]])
    made = load(packed(points(5), table), "shp", incremental=True)
    assert [one["EntityID"] for one in made.entities] == ["a", "a_2", "3_2", "3", "x" * 48 + "_2"]
    notes = [note for batch in made.batches for note in batch.notes]
    assert [note.location for note in notes] == ["record 2", "record 3", "record 5"]
    assert all("depends on the order in the file" in note.reason for note in notes)
    assert [batch.notes for batch in load(packed(points(5), table), "shp").batches] == [()]
