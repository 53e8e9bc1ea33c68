"""Shapefiles: a ZIP file of .shp and .dbf, maybe .prj and .cpg; each record is an entity of the type `Shape`.

Its properties are EntityID, the attributes of the .dbf, and Geometry. The id is the attribute EntityID, else the
record's number, from 1. Attributes Latitude and Longitude are the place of a record without a shape.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import shapely

from proxy.formats.batches import Note, RawRows, RowError
from proxy.formats.code_pages import code_page, code_page_of_language
from proxy.formats.decompression import extract
from proxy.formats.limits import LoadLimits
from proxy.formats.property_names import ENTITY_ID, GEOMETRY, PLACE, UniqueIds, find_role_column, property_names
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

    def declared(self) -> DeclaredSchema:
        """The schema, from the .dbf's fields.

        Raises:
            UnusableError: the file is no such set.
        """
        with self._opened() as opened:
            return opened.declared

    def rows(self, _declared: DeclaredSchema) -> Iterator[RawRows]:
        """The records.

        Raises:
            UnusableError: the file is no such set.
        """
        with self._opened() as opened:
            yield from opened.rows(self.limits.entities)

    @contextmanager
    def _opened(self) -> Iterator["_Opened"]:
        with TemporaryDirectory(dir=self.file.parent) as folder, ExitStack() as files:
            found = extract(self.file, self.limits.unpacked_bytes, _SUFFIXES, Path(folder))
            missing = [suffix for suffix in _NEEDED if suffix not in found]
            if missing:
                raise InvalidDataError(f"the ZIP file holds no {' and no '.join(missing)} file")
            if ".prj" in found:
                check_projection(_start(found[".prj"], _MOST_PROJECTION))
            shp, dbf = (files.enter_context(found[suffix].open("rb")) for suffix in _NEEDED)
            named = _named(_start(found[".cpg"], _MOST_CODE_PAGE)) if ".cpg" in found else ""
            shapes = ShapeReader(shp, found[".shp"].stat().st_size)
            table = TableReader(dbf, lambda language: code_page(named) or code_page_of_language(language) or "utf-8")
            yield _Opened(shapes, table, named if code_page(named) is None else "")


def _start(file: Path, most: int) -> bytes:
    with file.open("rb") as data:
        return data.read(most)


def _named(data: bytes) -> str:
    """What a .cpg file says, without the marks and quotes that some programs put around it."""
    for bom, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(bom):
            return data.decode(encoding, "replace").strip(" \t\r\n\0\"'")
    return ""


class _Opened:
    """A set whose files are open: shapes and attributes side by side."""

    def __init__(self, shapes: ShapeReader, table: TableReader, unknown_code_page: str) -> None:
        self._shapes, self._table, self._unknown = shapes, table, unknown_code_page
        fields = [field.name for field in table.fields]
        roles = (ENTITY_ID,) if shapes.has_shapes else (ENTITY_ID, *PLACE)
        names = property_names(fields, roles, (ENTITY_ID, GEOMETRY, *PLACE))
        self._id = find_role_column(fields, ENTITY_ID)
        place = {one: at for one in PLACE if (at := find_role_column(fields, one)) is not None}
        self._place = [*place.values()]
        more = {
            at: Property(name, field.type)
            for at, (name, field) in enumerate(zip(names, table.fields, strict=True))
            if name not in {role.name for role in roles}
        }
        self._more = [*more]
        self.declared = DeclaredSchema("Shape", (ENTITY_ID, *more.values(), GEOMETRY, *place), (ENTITY_ID.name,))

    def rows(self, most: int) -> Iterator[RawRows]:
        """The records, the shape of each beside its attributes."""
        collected, ids = RowCollector(self.declared), UniqueIds(self._given(most))
        if self._unknown:
            text = f"names no code page that is known, so that it is not followed: {self._unknown[:_SHOWN]}"
            collected.note(Note("the .cpg file", None, text))
        number = 0
        for number, (record, shape) in enumerate(zip_longest(self._table, self._shapes, fillvalue=_MISSING), 1):
            place = f"record {number}"
            if isinstance(record, str):
                collected.fail(RowError(place, None, record if record != _MISSING else _NO_RECORD))
            else:
                own = record[self._id] if self._id is not None else None
                id_, why = ids.take(own and own.strip(), number)
                if why:
                    collected.note(Note.of_id(place, id_, why))
                if isinstance(shape, str):
                    collected.fail(RowError(place, id_, f"{GEOMETRY.name} {shape if shape != _MISSING else _NO_SHAPE}"))
                elif shape is None and not (self._place and all(record[at] for at in self._place)):
                    collected.fail(RowError(place, id_, f"{GEOMETRY.name} is missing: the record has no shape"))
                else:
                    self._add(collected, place, id_, record, shape)
            if collected.full:
                yield collected.take()
        if number < self._table.count <= most:
            text = f"says that it holds {self._table.count:,} records, and ends before record {number + 1:,}"
            collected.note(Note("the .dbf file", None, text))
        yield collected.take()

    def _add(self, collected: RowCollector, place: str, id_: str, record: list[str | None], shape: Shape) -> None:
        more = [record[at] for at in self._more]
        where = [record[at] if shape is None else None for at in self._place]
        collected.add(place, [id_, *more, None if shape is None else shapely.to_wkb(shape), *where])

    def _given(self, most: int) -> set[str]:
        """The ids that the attributes give."""
        if self._id is None:
            return set()
        records = (record for record in islice(self._table, most) if not isinstance(record, str))
        return {(record[self._id] or "").strip() for record in records}
