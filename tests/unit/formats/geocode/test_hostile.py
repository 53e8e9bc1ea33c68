"""Untrusted files: bounded memory and time, and always rows or one sentence."""

import gzip
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from proxy.formats.geocode.job_files import RequestFormat
from proxy.formats.limits import MAX_RECORD_BYTES, LoadLimits
from proxy.formats.schema import InvalidDataError
from tests.unit.formats.geocode.jobs import NOTHING, place, read, run
from tests.unit.formats.loading import zipped

TITLE = b"Bing Spatial Data Services, 2.0\n"
ROWS = TITLE + b"Id,GeocodeRequest/Query\n1,Denver\n"
FEED = b'<GeocodeFeed Version="2.0">%s</GeocodeFeed>'
QUERY = b'<GeocodeEntity Id="1"><GeocodeRequest Query="Denver"/></GeocodeEntity>'
LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
SMALL = LoadLimits(entities=10, unpacked_bytes=10_000)


@pytest.mark.parametrize(
    "document_type",
    [
        b'<!DOCTYPE GeocodeFeed [<!ENTITY l0 "ha">' + LAUGHS + b"]>",
        b'<!DOCTYPE GeocodeFeed [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE GeocodeFeed SYSTEM "http://127.0.0.1:1/feed.dtd">',
        b"<!DOCTYPE GeocodeFeed>",
    ],
)
def test_a_document_type_is_refused(document_type: bytes) -> None:
    entity = b'<GeocodeEntity><GeocodeRequest Query="&l9;"/></GeocodeEntity>'
    with pytest.raises(InvalidDataError, match="DOCTYPE"):
        read(document_type + FEED % entity, "xml")


def test_an_entity_is_never_resolved() -> None:
    with pytest.raises(InvalidDataError, match="entity"):
        read(FEED % b'<GeocodeEntity><GeocodeRequest Query="&l9;"/></GeocodeEntity>', "xml")


@pytest.mark.parametrize("form", RequestFormat)
@pytest.mark.parametrize("byte", [b" ", b"\n", b"\0"])
def test_a_gigabyte_of_nothing_is_bounded_by_the_limit(form: str, byte: bytes) -> None:
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join([*(packer.compress(byte * 2**20) for _ in range(16)), packer.flush()])
    with pytest.raises(InvalidDataError, match=r"larger than 1,000,000 bytes, unpacked|empty|no XML|zero bytes"):
        read(packed, form, LoadLimits(unpacked_bytes=1_000_000))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(ROWS, mtime=0)[:-12], "broken, or was cut off"),
        (zipped(("a.csv", ROWS))[:-30], "broken, or was cut off"),
        (zipped(("a.csv", ROWS), ("b.csv", ROWS)), "one file of data, and holds 2"),
        (zipped(("a.csv", ROWS), method=zipfile.ZIP_BZIP2), "another method"),
        (ROWS + b"2,Drag\xf8r\n", "line 4: the byte 0xF8 is not UTF-8"),
        (TITLE + b"Id,GeocodeRequest/Query,\xff\n1,Denver\n", "line 2: the byte 0xFF"),
        (b"1,,Drag\xf8r\n", "line 1: the byte 0xF8"),
        (TITLE + b"x" * 300_000 + b"\n", "more than 262,144 bytes"),
        (ROWS + b"2," + b"x" * (MAX_RECORD_BYTES + 1) + b"\n3,Denver\n", "line 4 has more than 8,388,608 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_a_broken_file_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InvalidDataError, match=says):
        read(data)


@pytest.mark.parametrize(
    ("form", "data"), [("csv", ROWS * 4), ("csv", b"1,,Denver\n" * 11), ("xml", FEED % (QUERY * 11))]
)
def test_too_many_rows_are_refused(form: str, data: bytes) -> None:
    data = data if form == "xml" or not data.startswith(TITLE) else ROWS + b"2,Denver\n" * 10
    with pytest.raises(InvalidDataError, match="there are more than 10 rows"):
        read(data, form, SMALL)


def test_a_row_of_many_separators_has_the_fields_of_the_header() -> None:
    (plain, quoted) = read(ROWS[: -len(b"1,Denver\n")] + b"," * 1_000_000 + b'\n"1"' + b',"x"' * 200_000 + b"\n")
    assert (plain.echo, quoted.echo) == (("", ""), ("1", "x"))


def test_a_quote_that_nothing_closes_is_a_character_of_its_row() -> None:
    rows = read(ROWS + b'2,"Denver\n3,Denver\n')
    assert [row.echo for row in rows] == [("1", "Denver"), ("2", '"Denver'), ("3", "Denver")]


LINES = st.lists(st.text(alphabet=st.sampled_from("a1 ,|\t\"'#\r\n\0é\u2028;<&"), max_size=12), max_size=8)
HEADERS = st.lists(
    st.sampled_from(
        ["Id", "GeocodeRequest/Query", "GeocodeResponse/Name", "GeocodeResponse/GeocodePoints", "StatusCode", "", '"x']
    ),
    max_size=5,
)


@given(st.none() | HEADERS, LINES, st.sampled_from(["csv", "tab", "pipe"]), st.text(max_size=8))
def test_any_text_makes_rows_as_wide_as_the_header_or_one_sentence(
    header: list[str] | None, lines: list[str], form: str, name: str
) -> None:
    by = {"csv": ",", "tab": "\t", "pipe": "|"}[form]
    head = [TITLE.decode().strip(), by.join(["GeocodeRequest/Query", *header])] if header is not None else []
    data = "\n".join([*head, *lines]).encode()
    answer = place(address={"formattedAddress": name}, geocodePoints=None)
    try:
        done = run(data, form, lambda item: answer if "a" in str(item) else NOTHING)
    except InvalidDataError:
        return
    written = [
        row for output in (done.succeeded, done.failed) for row in fields_of(output.split("\n", len(head))[-1], by)
    ]
    assert len(written) == done.counts.total
    assert {len(row) for row in written} <= {31 if header is None else len(header) + 1}


def fields_of(output: str, by: str) -> list[list[str]]:
    """An output as a strict reader sees it: a field that begins with a quote ends with one."""
    rows: list[list[str]] = []
    row: list[str] = []
    field = ""
    inside, at = False, 0
    while at < len(output):
        character = output[at]
        if inside and output[at : at + 2] == '""':
            field, at = field + '"', at + 1
        elif character == '"' and (inside or not field):
            inside = not inside
        elif inside or character not in f"{by}\n":
            field += character
        else:
            row, field = [*row, field], ""
            if character == "\n":
                rows, row = [*rows, row], []
        at += 1
    assert not inside
    assert not row
    return rows


@given(
    st.binary(max_size=60),
    st.sampled_from([*RequestFormat]),
    st.sampled_from([b"", ROWS, TITLE, FEED[:28], b"\x1f\x8b", b"PK\3\4"]),
)
def test_any_bytes_make_rows_or_one_sentence(data: bytes, form: str, before: bytes) -> None:
    try:
        rows = read(before + data, form)
    except InvalidDataError:
        return
    assert all((row.question is None) == bool(row.fault) for row in rows)


TAGS = st.sampled_from(["GeocodeEntity", "GeocodeRequest", "ReverseGeocodeRequest", "Address", "Location", "b"])
NAMES = st.sampled_from(["Id", "Query", "Latitude", "Longitude", "Culture", "MaxResults", "StrictMatch", "c"])
VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='<&"\ufffe\uffff'), max_size=6
)


def element(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    attributes = st.dictionaries(NAMES, VALUES, max_size=3).map(
        lambda found: "".join(f' {name}="{value}"' for name, value in found.items())
    )
    return st.tuples(TAGS, attributes, st.lists(inner, max_size=3)).map(
        lambda parts: f"<{parts[0]}{parts[1]}>{''.join(parts[2])}</{parts[0]}>"
    )


@given(st.lists(st.recursive(st.just(""), element, max_leaves=6), max_size=4), st.sampled_from(["", ' Version="2.0"']))
def test_any_feed_makes_outputs_that_are_feeds(entities: list[str], version: str) -> None:
    data = f"<GeocodeFeed{version}>{''.join(entities)}</GeocodeFeed>".encode()
    try:
        done = run(data, "xml", lambda item: place() if "a" in str(item) else NOTHING)
    except InvalidDataError:
        return
    written = [etree.parse(io.BytesIO(output.encode())).getroot() for output in (done.succeeded, done.failed) if output]
    assert sum(len(root) for root in written) == done.counts.total
