"""A version's entities in one memory-mapped file, which all processes of a machine share.

The file is a row of Arrow IPC streams, one for each column, uncompressed; then a directory in JSON; then its end mark.
A column that no query names is never read. Each column has a checksum, which its first reader verifies: a damaged file
is an error and never another answer.
"""

import json
import mmap
import os
import struct
import tempfile
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa

from adapters.model.versions import DamagedVersionError

_MAGIC = b"SDPQRY1\n"
_END = struct.Struct("<II8s")
"""Length and checksum of the directory, and the magic number."""
_ALIGNMENT = 64
"""Arrow's own: the values of a mapped column begin at such a multiple."""
PART_SUFFIX = ".part"
"""The end of the name of a file that is being written; one older than any conversion is left from a crash."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The bytes of a column in the file, and their checksum."""

    start: int
    length: int
    checksum: int


class VersionFile:
    """An open file. It stays readable when its name is deleted; threads may share it.

    Args:
        file: the local file.
        source: the identity that its writer gave it.

    Raises:
        DamagedVersionError: it is none, is cut, or is of another source.
        OSError: it can't be read.
    """

    def __init__(self, file: Path, source: str) -> None:
        self._descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._descriptor)
        state = os.fstat(self._descriptor)
        if state.st_size < _END.size:
            raise DamagedVersionError(f"{file.name} has {state.st_size} bytes, fewer than its end mark")
        self.file = file
        self.mapped_bytes = state.st_size
        """Bytes of the file, which the system may drop from memory and read again."""
        self._changed = state.st_mtime_ns
        self._map = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        self._bytes = pa.py_buffer(self._map)
        directory = self._read_directory()
        if directory["source"] != source:
            raise DamagedVersionError(
                f"{file.name} is of {directory['source'][:200]!r}, and {source[:200]!r} was expected"
            )
        self.rows: int = directory["rows"]
        self._places = {name: _Place(*place) for name, place in directory["columns"].items()}
        self._columns: dict[str, pa.Array] = {}

    @property
    def private_bytes(self) -> int:
        """About the memory that the open file takes of this process alone: its directory and its columns' objects."""
        return 4096 + 1024 * len(self._places)

    def release_pages(self) -> None:
        """Lets the mapped pages go from this process's memory. Who reads them again, even just now, gets them back."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def check(self) -> None:
        """Looks, before a query, whether the file was changed under our feet; takes a microsecond.

        A file that was only touched is verified again. A cache marks its use by the access time, so that this stays
        rare. One that is cut during a query ends the process: files are replaced, never written to.

        Raises:
            DamagedVersionError: it is shorter than it was: reading what is gone would end the process.
        """
        state = os.fstat(self._descriptor)
        if state.st_size < self.mapped_bytes:
            raise DamagedVersionError(f"{self.file.name} was cut from {self.mapped_bytes} to {state.st_size} bytes")
        if state.st_mtime_ns != self._changed:
            self._columns, self._changed = {}, state.st_mtime_ns

    def __contains__(self, name: str) -> bool:
        """Whether there is a column of this name."""
        return name in self._places

    def column(self, name: str) -> pa.Array:
        """A column, by its exact name, without a copy.

        Raises:
            DamagedVersionError: its bytes are not those that were written.
        """
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._read(name)
        return found

    def _read(self, name: str) -> pa.Array:
        place = self._places[name]
        data = self._bytes.slice(place.start, place.length)
        if zlib.crc32(data) != place.checksum:
            raise DamagedVersionError(f"{self.file.name} is damaged in column {name}")
        with pa.ipc.open_stream(data) as stream:
            return stream.read_next_batch().column(0)

    def _read_directory(self) -> dict[str, Any]:
        size = len(self._bytes)
        length, checksum, magic = _END.unpack(self._bytes.slice(size - _END.size))
        start = size - _END.size - length
        if magic != _MAGIC or start < 0:
            raise DamagedVersionError(f"{self.file.name} does not end as a version's file: it is cut, or another file")
        text = self._bytes.slice(start, length).to_pybytes()
        if zlib.crc32(text) != checksum:
            raise DamagedVersionError(f"{self.file.name} has a damaged directory")
        directory: dict[str, Any] = json.loads(text)
        return directory


class VersionFileWriter:
    """Writes a file aside and gives it its name when the context ends, so that others find it whole or not at all.

    Args:
        file: the file to write; one that is there is replaced, and readers that have it open keep the old one.
        source: what the file is made of, such as the blob's path and its entity tag; a reader has to name the same.

    Raises:
        OSError: the folder can't be written, or is full.
    """

    def __init__(self, file: Path, source: str) -> None:
        self._file, self._source = file, source
        self._rows = 0
        self._places: dict[str, tuple[int, int, int]] = {}

    def __enter__(self) -> Self:
        """Opens the file aside."""
        descriptor, name = tempfile.mkstemp(PART_SUFFIX, f"{self._file.name}.", self._file.parent)
        self._part, self._out = Path(name), os.fdopen(descriptor, "wb")
        return self

    def write(self, name: str, column: pa.Array) -> None:
        """Adds a column; all have the same number of rows."""
        self._out.write(bytes(-self._out.tell() % _ALIGNMENT))
        start, sink = self._out.tell(), _ChecksumWriter(self._out)
        batch = pa.record_batch([column], [name])
        with pa.PythonFile(sink, "w") as out, pa.ipc.new_stream(out, batch.schema) as stream:
            stream.write_batch(batch)
        self._places[name] = (start, self._out.tell() - start, sink.checksum)
        self._rows = len(column)

    def __contains__(self, name: str) -> bool:
        """Whether a column of this name is written."""
        return name in self._places

    def name(self, name: str, alias: str) -> None:
        """Gives a column that is written another name beside its own."""
        self._places[alias] = self._places[name]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Names the complete file, or removes what there is of it."""
        try:
            with self._out:
                if kind is None:
                    self._write_directory()
            if kind is None:
                self._part.replace(self._file)
        finally:
            self._part.unlink(missing_ok=True)

    def _write_directory(self) -> None:
        text = json.dumps({"source": self._source, "rows": self._rows, "columns": self._places}).encode()
        self._out.write(text + _END.pack(len(text), zlib.crc32(text), _MAGIC))


class _ChecksumWriter:
    """A file for Arrow that takes the checksum of what goes through it."""

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.checksum = 0

    def write(self, data: bytes) -> int:
        self.checksum = zlib.crc32(data, self.checksum)
        return self._out.write(data)

    def flush(self) -> None:
        """The owner of the file does."""

    def close(self) -> None:
        """The same."""
