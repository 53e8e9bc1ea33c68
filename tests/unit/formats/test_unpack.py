"""Packed input is noticed from its first bytes, and never fills memory or disk."""

import errno
import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest

from proxy.formats.decompression import LimitedReader
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.schema import InvalidDataError
from tests.unit.formats.loading import csv_of, load, zipped
from tests.unit.formats.samples import DELIMITED
from tests.unit.formats.shapefiles import NAME, dbf, packed, points

TEXT = DELIMITED.encode()
SMALL = LoadLimits(unpacked_bytes=100_000)


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
        zipped(("data.txt", TEXT), method=zipfile.ZIP_STORED),
        zipped(
            ("folder/", b""),
            ("folder/data.txt", TEXT),
            ("__MACOSX/folder/._data.txt", b"x"),
            ("folder/.DS_Store", b"x"),
        ),
    ],
)
def test_packed_file_loads_like_a_plain_one(data: bytes) -> None:
    assert len(load(data, "csv").entities) == 2


BOMB = csv_of("EntityID(Edm.String,primaryKey)", "1") + b"\n" * 1_000_000


@pytest.mark.parametrize(
    "data",
    [BOMB, gzip.compress(BOMB), zipped(("data.csv", BOMB)), zipped(("a.shp", BOMB), ("a.shx", b""), ("a.dbf", b""))],
)
def test_unpacked_data_over_the_limit_aborts_the_load(data: bytes) -> None:
    with pytest.raises(InvalidDataError, match="larger than 100,000 bytes, unpacked"):
        load(data, "shp" if b"a.shp" in data else "csv", limits=SMALL)


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def flagged(data: bytes) -> bytes:
    """The same ZIP file, said to be encrypted."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:6] + b"\x01" + data[7:at] + b"\x01" + data[at + 1 :]


def renamed(name: str, other: str) -> bytes:
    """A ZIP file whose member is called otherwise in the directory."""
    data = zipped((name, TEXT))
    return data.replace(name.encode(), other.encode(), 1)


def moved(data: bytes, by: int) -> bytes:
    """The same ZIP file, its directory said to be elsewhere."""
    at = data.rindex(b"PK\x05\x06") + 16
    return data[:at] + struct.pack("<I", (struct.unpack_from("<I", data, at)[0] + by) % 2**32) + data[at + 4 :]


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
        (renamed("d" * 60_000, "e" * 60_000), "^the ZIP file is broken, or was cut off on its way$"),
        (moved(zipped(("data.txt", TEXT)), -30), "ZIP file is broken"),
        (zipped(*((f"{name}.csv", b"") for name in "abcd")), "holds 4 .a.csv, b.csv, c.csv, ....$"),
        (gzip.compress(gzip.compress(TEXT)), "it is packed twice"),
    ],
)
def test_broken_archive_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(data, "csv")


def test_archive_member_without_a_name_loads() -> None:
    data = zipped(("x", TEXT))
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    local = data[:26] + bytes(2) + data[28:30] + data[31:at]
    entry = data[at : at + 28] + bytes(2) + data[at + 30 : at + 46] + data[at + 47 : end]
    nameless = local + entry + data[end : end + 12] + struct.pack("<2I", len(entry), len(local)) + bytes(2)
    assert len(load(nameless, "csv").entities) == 2


def test_message_is_cut_and_printable() -> None:
    assert str(InvalidDataError(f"a\nb\0\x1b\ud800{'c' * 3_000}")) == f"a b   {'c' * 1_994}"


@pytest.mark.parametrize("error", [OSError(errno.EIO, "disk"), OSError(errno.ENOSPC, "disk"), MemoryError()])
def test_local_io_errors_are_not_blamed_on_the_data(error: BaseException) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise error

    with pytest.raises(type(error)):
        LimitedReader(Broken(), 10).read(1)


@pytest.mark.parametrize(
    "error", [KeyError("b'secret'"), RecursionError(), AssertionError(), struct.error("pad bytes")]
)
def test_unforeseen_error_aborts_and_logs_no_data(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "data"
    file.write_bytes(TEXT)
    made = Loader(file, InputFormat.CSV, LoadLimits(), incremental=False)

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("proxy.formats.entity_validation.EntityValidator.validate", broken)
    with pytest.raises(InvalidDataError, match=r"^the data can't be read: it is not as its format has it$"):
        list(made)
    assert f"a reader raised {type(error).__name__} in {__file__}" in caplog.text
    assert "secret" not in caplog.text


def test_set_is_unpacked_beside_its_file_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    file = tmp_path / "data"
    shapes, table = points(1), dbf([NAME], [[b"a"]])
    file.write_bytes(packed(shapes, table))
    batches = iter(Loader(file, InputFormat.SHP, LoadLimits(), incremental=False))
    next(batches)
    [folder] = (found for found in tmp_path.iterdir() if found.is_dir())
    assert {found.name for found in folder.iterdir()} == {"set.shp", "set.dbf"}
    assert list(batches) == []
    assert [*tmp_path.iterdir()] == [file]
