"""Shapefiles: a ZIP file of .shp, .shx and .dbf; each record is an entity of the type `Shape`.

Its properties are EntityID, the attributes of the .dbf, and Geometry. The id is the attribute EntityID, else the
record's number, from 1.
"""

import codecs
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import shapefile
import shapely
import shapely.geometry

from proxy.exchange.batch import Failure, Rows
from proxy.exchange.limits import BATCH_BYTES, BATCH_ROWS, MOST_POINTS, Limits
from proxy.exchange.named import ENTITY_ID, GEOMETRY, property_name
from proxy.exchange.schema import EdmType, Property, UnusableError
from proxy.exchange.schema_rules import Declared
from proxy.exchange.unpack import extract

_NEEDED = (".shp", ".shx", ".dbf")
_SUFFIXES = frozenset({*_NEEDED, ".prj", ".cpg"})
_LONGEST_INT64 = 18
# What pyshp and shapely raise where a file's numbers don't fit each other.
_BROKEN = (
    shapefile.ShapefileException,
    shapely.GEOSException,
    struct.error,
    ValueError,
    IndexError,
    OSError,
    TypeError,
)


@dataclass(frozen=True, slots=True)
class ShapefileSet:
    """The source."""

    file: Path
    limits: Limits

    def declared(self) -> Declared:
        """The schema, from the .dbf's fields.

        Raises:
            UnusableError: the file is no such set.
        """
        with self._reader() as reader:
            fields = [_property(field) for field in reader.fields if field[0] != "DeletionFlag"]
        more = tuple(property_ for property_ in fields if property_.name.lower() != ENTITY_ID.name.lower())
        return Declared("Shape", (ENTITY_ID, *more, GEOMETRY), (ENTITY_ID.name,))

    def rows(self, declared: Declared) -> Iterator[Rows]:
        """The records.

        Raises:
            UnusableError: the file is no such set.
        """
        with self._reader() as reader:
            names = [property_name(field[0]).lower() for field in reader.fields if field[0] != "DeletionFlag"]
            wanted = [property_.name.lower() for property_ in declared.properties[:-1]]
            texts: list[dict[str, str | None]] = []
            shapes: list[bytes | None] = []
            numbers: list[int] = []
            failures: list[Failure] = []
            size = 0

            def collected() -> Rows:
                columns = [pa.array([row.get(name) for row in texts], pa.string()) for name in wanted]
                places = [_place(number) for number in numbers]
                return Rows([*columns, pa.array(shapes, pa.binary())], places.__getitem__, tuple(failures))

            for number in range(1, len(reader) + 1):
                try:
                    row = dict(zip(names, map(_text, reader.record(number - 1)), strict=False))
                    shape = _wkb(reader.shape(number - 1))
                except _BROKEN as error:
                    failures.append(Failure(_place(number), None, f"can't be read: {error}"[:500], len(texts)))
                else:
                    row[ENTITY_ID.name.lower()] = row.get(ENTITY_ID.name.lower()) or str(number)
                    texts.append(row)
                    shapes.append(shape)
                    numbers.append(number)
                    size += len(shape or b"") + sum(len(text or "") for text in row.values())
                if len(texts) + len(failures) >= BATCH_ROWS or size >= BATCH_BYTES:
                    yield collected()
                    texts, shapes, numbers, failures, size = [], [], [], [], 0
            yield collected()

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with TemporaryDirectory() as folder, ExitStack() as files:
            found = extract(self.file, self.limits.unpacked_bytes, _SUFFIXES, Path(folder))
            missing = [suffix for suffix in _NEEDED if suffix not in found]
            if missing:
                raise UnusableError(f"the ZIP file holds no {' and no '.join(missing)} file")
            if ".prj" in found and found[".prj"].read_bytes()[:1000].lstrip().upper().startswith(b"PROJ"):
                raise UnusableError("the shapefile is projected; it has to be in longitude and latitude (WGS 84)")
            streams = {suffix[1:]: files.enter_context(found[suffix].open("rb")) for suffix in _NEEDED}
            try:
                reader = shapefile.Reader(**streams, encoding=_encoding(found.get(".cpg")))
                count = len(reader)
            except _BROKEN as error:
                raise UnusableError(f"the shapefile can't be read: {error}"[:500]) from error
            if count > self.limits.entities:
                raise UnusableError(f"there are more than {self.limits.entities:,} entities")
            with reader:
                yield reader


def _encoding(code_page: Path | None) -> str:
    """What the .cpg says, where Python knows it; else UTF-8."""
    name = code_page.read_bytes()[:50].decode("ascii", "replace").strip() if code_page else "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _property(field: Any) -> Property:  # noqa: ANN401  pyshp's, untyped
    name, kind, length, decimals = field[:4]
    types = {"L": EdmType.BOOLEAN, "D": EdmType.DATETIME, "F": EdmType.DOUBLE}
    if kind == "N":
        whole = not decimals and length <= _LONGEST_INT64
        return Property(property_name(name), EdmType.INT64 if whole else EdmType.DOUBLE)
    return Property(property_name(name), types.get(kind, EdmType.STRING))


def _text(value: Any) -> str | None:  # noqa: ANN401  what a .dbf may hold
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    return str(value)


def _wkb(shape: Any) -> bytes | None:  # noqa: ANN401  pyshp's
    if shape.shapeType == shapefile.NULL:
        return None
    if len(shape.points) > MOST_POINTS:
        raise ValueError(f"{GEOMETRY.name} has more than {MOST_POINTS:,} points")
    written: bytes = shapely.to_wkb(shapely.geometry.shape(shape.__geo_interface__))
    return written


def _place(number: int) -> str:
    return f"record {number}"
