"""Shapefiles byte by byte, sound or not, as ESRI's and dBase's documents describe them."""

import struct
from collections.abc import Sequence

from tests.unit.formats.loading import zipped

Points = Sequence[tuple[float, ...]]
FOXPRO, BACKLINK = 0x30, 263


def shp(*contents: bytes, kind: int = 1, lengths: Sequence[int | None] = ()) -> bytes:
    """A .shp file of these records; `lengths` are what the records say instead of their own length, in bytes."""
    body = b""
    for number, content in enumerate(contents, 1):
        said = lengths[number - 1] if number <= len(lengths) else None
        body += struct.pack(">ii", number, (len(content) if said is None else said) // 2) + content
    return struct.pack(">i20xi", 9994, 50 + len(body) // 2) + struct.pack("<ii64x", 1000, kind) + body


def point(x: float, y: float, *more: float, kind: int = 1) -> bytes:
    return struct.pack(f"<i{2 + len(more)}d", kind, x, y, *more)


def several(kind: int, points: Points, parts: Sequence[int] = (0,), *, counts: tuple[int, int] | None = None) -> bytes:
    """A line, polygon or multipoint; a third number is a height. Measures are those that stand for nothing."""
    numbers, at = counts or (len(parts), len(points)), struct.pack(f"<{len(parts)}i", *parts)
    head = struct.pack("<i32x", kind)
    head += struct.pack("<i", numbers[1]) if kind % 10 == 8 else struct.pack("<2i", *numbers) + at
    head += b"".join(struct.pack("<2d", *one[:2]) for one in points)
    if kind // 10 == 1:
        head += bytes(16) + b"".join(struct.pack("<d", one[2]) for one in points)
    if kind // 10:
        head += bytes(16) + struct.pack("<d", -1e39) * len(points)
    return head


def dbf(
    fields: Sequence[tuple[str, str, int, int]],
    rows: Sequence[Sequence[bytes]],
    *,
    version: int = 3,
    language: int = 0,
    deleted: Sequence[int] = (),
    count: int | None = None,
) -> bytes:
    """A .dbf file; each field is name, letter, length and decimals."""
    described = b"".join(
        struct.pack("<11sc4xBB14x", name.encode("cp1252"), letter.encode("cp1252"), length, decimals)
        for name, letter, length, decimals in fields
    )
    more = bytes(BACKLINK) if version == FOXPRO else b""
    size = 1 + sum(length for _, _, length, _ in fields)
    header = struct.pack(
        "<B3xIHH17xB2x",
        version,
        len(rows) if count is None else count,
        33 + len(described) + len(more),
        size,
        language,
    )
    lines = [
        (b"*" if number in deleted else b" ") + b"".join(v.ljust(f[2]) for v, f in zip(row, fields, strict=True))
        for number, row in enumerate(rows, 1)
    ]
    return header + described + b"\r" + more + b"".join(lines) + b"\x1a"


NAME = ("NAME", "C", 10, 0)


def packed(shapes: bytes, table: bytes, **more: bytes) -> bytes:
    return zipped(*((f"a.{suffix}", data) for suffix, data in {"shp": shapes, "dbf": table, **more}.items()))


def points(count: int) -> bytes:
    return shp(*(point(number, number) for number in range(1, count + 1)))
