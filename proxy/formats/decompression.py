"""Input as it was sent: plain, gzip or ZIP, noticed from the first bytes; never more than the limit comes out of it.

One level only: what is packed twice is read as what it looks like then.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from proxy.formats.parser_errors import translate_errors
from proxy.formats.schema import InvalidDataError

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_DIRECTORY = 1024 * 1024
_MOST_NAMES = 3
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # LZMA may ask for gigabytes of memory
_ENCRYPTED = 0x1
_SHOWN = 50


class LimitedReader(io.RawIOBase):
    """A stream of at most so many bytes; whatever is broken or too much in it is an InvalidDataError."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, most: int) -> None:
        super().__init__()
        self._inner, self._left, self._most = inner, most, most

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """Reads some bytes.

        Raises:
            InvalidDataError: the data is broken, or there is more of it than the limit.
        """
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        with translate_errors("the compressed data is broken, or was cut off on its way"):
            data = self._inner.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise InvalidDataError(f"the data is larger than {self._most:,} bytes, unpacked")
        view[: len(data)] = data
        return len(data)


class _ZipReader(io.BufferedReader):
    """A ZIP file's own reads: its directory is read at once, and may be as large as the file."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY:
            raise InvalidDataError("the ZIP file holds too many files")
        return super().read(size)


@contextmanager
def open_input(file: Path, most: int, suffix: str | None = None) -> Iterator[io.BufferedReader]:
    """The data of a file as a stream; of a ZIP file's, the only one, or the only one with this suffix.

    Raises:
        InvalidDataError: it can't be unpacked, or holds more than one file of data.
    """
    with file.open("rb") as plain:
        start = plain.read(4)
        plain.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(plain) as unzipped:
                yield io.BufferedReader(LimitedReader(unzipped, most), _MOST_DIRECTORY)
        elif start.startswith(_ZIP):
            with _archive(file) as archive, _open(archive, _find_data(archive, suffix)) as inner:
                yield io.BufferedReader(LimitedReader(inner, most), _MOST_DIRECTORY)
        else:
            yield io.BufferedReader(LimitedReader(plain, most), _MOST_DIRECTORY)


def extract(file: Path, most: int, suffixes: frozenset[str], folder: Path) -> dict[str, Path]:
    """Unpacks a ZIP file's set of files that differ in their suffix only; gives them by suffix.

    Raises:
        InvalidDataError: it is no such file, or too large.
    """
    if not zipfile.is_zipfile(file):
        raise InvalidDataError("a shapefile has to be a ZIP file of its .shp and .dbf files")
    found: dict[str, Path] = {}
    with _archive(file) as archive:
        for info in _data_files(archive):
            suffix = PurePosixPath(info.filename).suffix.lower()
            if suffix not in suffixes:
                continue
            if suffix in found:
                raise InvalidDataError(f"the ZIP file holds more than one {suffix} file")
            found[suffix] = folder / f"set{suffix}"
            with _open(archive, info) as inner, found[suffix].open("wb") as out:
                stream = io.BufferedReader(LimitedReader(inner, most))
                while data := stream.read(_MOST_DIRECTORY):
                    out.write(data)
                    most -= len(data)
    return found


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    with _ZipReader(io.FileIO(file)) as plain:
        with translate_errors("the ZIP file is broken, or was cut off on its way"):
            archive = zipfile.ZipFile(plain)
        with archive:
            yield archive


def _data_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files that are not hidden, as a desktop's own are."""
    files = [(info, PurePosixPath(info.filename)) for info in archive.infolist() if not info.filename.endswith("/")]
    return [info for info, path in files if not path.name.startswith(".") and "__MACOSX" not in path.parts]


def _find_data(archive: zipfile.ZipFile, suffix: str | None) -> zipfile.ZipInfo:
    """The one file of data; where the suffix is given, the document, else the first one at the archive's root."""
    files = found = _data_files(archive)
    if suffix is not None and len(files) > 1:
        found = [info for info in files if info.filename.lower().endswith(suffix)]
        at_root = [info for info in found if len(PurePosixPath(info.filename).parts) == 1]
        documents = [
            info for info in at_root or found if PurePosixPath(info.filename).name.lower() == f"doc{suffix}"
        ]  # not at the root where a folder was packed as a whole
        found = documents or at_root[:1] or found
        if at_root:
            return found[0]
    if len(found) == 1:
        return found[0]
    names = [info.filename[:_SHOWN] for info in files[:_MOST_NAMES]] + ["..."] * (len(files) > _MOST_NAMES)
    shown = f" ({', '.join(names)})" if names else ""
    wanted = "one file of data" if suffix is None else f"one {suffix} file, or one at its root"
    raise InvalidDataError(f"the ZIP file has to hold {wanted}, and holds {len(found) or 'none'}{shown}")


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise InvalidDataError("the ZIP file is encrypted")
    if info.compress_type not in _METHODS:
        raise InvalidDataError("the ZIP file is compressed by another method than Deflate")
    with translate_errors("the ZIP file is broken, or was cut off on its way"):
        return archive.open(info)
