"""Shapefiles: a ZIP file of .shp and .dbf, maybe .prj and .cpg; each record is an entity of the type `Shape`.

Its properties are EntityID, the attributes of the .dbf, and Geometry. The id is the attribute EntityID, else the
record's number, from 1. Attributes Latitude and Longitude are the place of a record without a shape.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import shapely

from proxy.formats.batches import Note, RawRows
from proxy.formats.code_pages import find_code_page, find_language_code_page
from proxy.formats.decompression import extract
from proxy.formats.limits import LoadLimits
from proxy.formats.property_names import (
    ENTITY_ID,
    GEOMETRY,
    LOCATION,
    UniqueIds,
    derive_property_names,
    find_role_column,
)
from proxy.formats.row_collector import RowCollector
from proxy.formats.schema import InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.shapefile.projection import check_projection
from proxy.formats.shapefile.shapes import Shape, ShapeReader
from proxy.formats.shapefile.table import TableReader

_NEEDED = (".shp", ".dbf")
_SUFFIXES = frozenset({*_NEEDED, ".prj", ".cpg"})
_SHOWN = 50
_MOST_PROJECTION, _MOST_CODE_PAGE = 64 * 1024, 200  # bytes of these files that are read
_MISSING = "is missing"
_NO_RECORD = "has a shape but no attributes: the .dbf file has fewer records than the .shp file has shapes"
_NO_SHAPE = "is missing: the .shp file has fewer shapes than the .dbf file has records"


@dataclass(frozen=True, slots=True)
class ShapefileSet:
    """The source."""

    file: Path
    limits: LoadLimits

    def read_schema(self) -> DeclaredSchema:
        """The schema, from the fields of the .dbf file.

        Raises:
            InvalidDataError: the file is no such set.
        """
        with self._open() as records:
            return records.declared

    def read_rows(self, _declared: DeclaredSchema) -> Iterator[RawRows]:
        """The records.

        Raises:
            InvalidDataError: the file is no such set.
        """
        with self._open() as records:
            yield from records.rows(self.limits.entities)

    @contextmanager
    def _open(self) -> Iterator["_Records"]:
        with TemporaryDirectory(dir=self.file.parent) as folder, ExitStack() as stack:
            files = extract(self.file, self.limits.unpacked_bytes, _SUFFIXES, Path(folder))
            missing = [suffix for suffix in _NEEDED if suffix not in files]
            if missing:
                raise InvalidDataError(f"the ZIP file holds no {' and no '.join(missing)} file")
            if ".prj" in files:
                check_projection(_read_start(files[".prj"], _MOST_PROJECTION))
            shp, dbf = (stack.enter_context(files[suffix].open("rb")) for suffix in _NEEDED)
            name = _decode_name(_read_start(files[".cpg"], _MOST_CODE_PAGE)) if ".cpg" in files else ""
            page = find_code_page(name)
            shapes = ShapeReader(shp, files[".shp"].stat().st_size)
            table = TableReader(dbf, lambda language: page or find_language_code_page(language) or "utf-8")
            yield _Records(shapes, table, name if page is None else "")


def _read_start(file: Path, most: int) -> bytes:
    with file.open("rb") as data:
        return data.read(most)


def _decode_name(data: bytes) -> str:
    """The text of a .cpg file, without the marks and quotes that some programs put around it."""
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, "replace").strip(" \t\r\n\0\"'")


class _Records:
    """The records of a set whose files are open: shapes and attributes side by side."""

    def __init__(self, shapes: ShapeReader, table: TableReader, unknown_code_page: str) -> None:
        self._shapes, self._table, self._unknown = shapes, table, unknown_code_page
        fields = [field.name for field in table.fields]
        roles = (ENTITY_ID,) if shapes.has_shapes else (ENTITY_ID, *LOCATION)
        names = derive_property_names(fields, roles, (ENTITY_ID, GEOMETRY, *LOCATION))
        self._id = find_role_column(fields, ENTITY_ID)
        location = {one: column for one in LOCATION if (column := find_role_column(fields, one)) is not None}
        self._location = [*location.values()]
        others = {
            column: Property(name, field.type)
            for column, (name, field) in enumerate(zip(names, table.fields, strict=True))
            if name not in {role.name for role in roles}
        }
        self._others = [*others]
        self.declared = DeclaredSchema("Shape", (ENTITY_ID, *others.values(), GEOMETRY, *location), (ENTITY_ID.name,))

    def rows(self, most: int) -> Iterator[RawRows]:
        """The records, at most so many ids of which are known before."""
        rows, ids = RowCollector(self.declared, pa.binary()), UniqueIds(self._own_ids(most))
        if self._unknown:
            text = f"names no code page that is known, so that it is not followed: {self._unknown[:_SHOWN]}"
            rows.note(Note("the .cpg file", None, text))
        number = 0
        for number, (record, shape) in enumerate(zip_longest(self._table, self._shapes, fillvalue=_MISSING), 1):
            place = f"record {number}"
            if isinstance(record, str):
                rows.fail(place, None, _NO_RECORD if record is _MISSING else record)
            else:
                own = record[self._id] if self._id is not None else None
                id_, reason = ids.assign(own and own.strip(), number)
                if reason:
                    rows.note(Note.for_derived_id(place, id_, reason))
                problem = self._problem(record, shape)
                if problem:
                    rows.fail(place, id_, f"{GEOMETRY.name} {problem}")
                else:
                    values = self._values(id_, record, shape)
                    rows.add(place, values, sum(map(len, filter(None, values))))
            if rows.is_full:
                yield rows.pop_rows()
        if number < self._table.count <= most:
            text = f"says that it holds {self._table.count:,} records, and ends before record {number + 1:,}"
            rows.note(Note("the .dbf file", None, text))
        yield rows.pop_rows()

    def _problem(self, record: list[str | None], shape: Shape) -> str | None:
        """Why a record has no usable shape; None if it has one, or attributes that locate it."""
        if isinstance(shape, str):
            return _NO_SHAPE if shape is _MISSING else shape
        is_located = self._location and all(record[column] for column in self._location)
        return "is missing: the record has no shape" if shape is None and not is_located else None

    def _values(self, id_: str, record: list[str | None], shape: Shape) -> list[str | bytes | None]:
        others = [record[column] for column in self._others]
        location = [record[column] if shape is None else None for column in self._location]
        return [id_, *others, None if shape is None else shapely.to_wkb(shape), *location]

    def _own_ids(self, most: int) -> set[str]:
        """The ids that the attributes give."""
        if self._id is None:
            return set()
        records = (record for record in islice(self._table, most) if not isinstance(record, str))
        return {(record[self._id] or "").strip() for record in records}
