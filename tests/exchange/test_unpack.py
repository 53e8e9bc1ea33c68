"""Packed input is noticed from its first bytes, and never fills memory or disk."""

import gzip
import io
import zipfile

import pytest

from proxy.exchange.limits import Limits
from proxy.exchange.schema import UnusableError
from tests.exchange.loading import csv_of, load
from tests.exchange.samples import DELIMITED

TEXT = DELIMITED.encode()
SMALL = Limits(unpacked_bytes=100_000)


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
        zipped(("data.txt", TEXT)),
        zipped(("data.txt", TEXT), method=zipfile.ZIP_STORED),
        zipped(
            ("folder/", b""),
            ("folder/data.txt", TEXT),
            ("__MACOSX/folder/._data.txt", b"x"),
            ("folder/.DS_Store", b"x"),
        ),
    ],
)
def test_a_file_loads_packed_as_well_as_plain(data: bytes) -> None:
    assert len(load(data, "csv").entities) == 2


BOMB = csv_of("EntityID(Edm.String,primaryKey)", "1") + b"\n" * 1_000_000


@pytest.mark.parametrize(
    "data",
    [BOMB, gzip.compress(BOMB), zipped(("data.csv", BOMB)), zipped(("a.shp", BOMB), ("a.shx", b""), ("a.dbf", b""))],
)
def test_what_unpacks_to_more_than_the_limit_aborts_the_load(data: bytes) -> None:
    with pytest.raises(UnusableError, match="larger than 100,000 bytes, unpacked"):
        load(data, "shp" if b"a.shp" in data else "csv", limits=SMALL)


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def flagged(data: bytes) -> bytes:
    """The same ZIP file, said to be encrypted."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:6] + b"\x01" + data[7:at] + b"\x01" + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(TEXT)[:-20], "compressed data is broken"),
        (damaged(gzip.compress(TEXT), 60), "compressed data is broken"),
        (gzip.compress(TEXT) + b"more", "compressed data is broken"),
        (zipped(("data.txt", TEXT))[:-30], "ZIP file is broken"),
        (damaged(zipped(("data.txt", TEXT)), 60), "compressed data is broken"),
        (
            damaged(zipped(("data.txt", TEXT)), 0).replace(b"\xaf", b"P", 1).replace(b"data.txt", b"dxta.txt", 1),
            "broken",
        ),
        (flagged(zipped(("data.txt", TEXT))), "encrypted"),
        (zipped(("data.txt", TEXT), method=zipfile.ZIP_LZMA), "another method than Deflate"),
        (zipped(("data.txt", TEXT), ("more.txt", TEXT)), "has to hold one file of data, and holds 2"),
        (zipped(), "has to hold one file of data, and holds none"),
        (zipped(*((f"{'n' * 60_000}{number}", b"") for number in range(20))), "too many files"),
        (gzip.compress(gzip.compress(TEXT)), "it is packed twice"),
    ],
)
def test_what_can_not_be_unpacked_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        load(data, "csv")
