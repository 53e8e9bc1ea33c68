"""Finds the likely cause when data does not match its `input` parameter, such as an Excel workbook sent as csv."""

import codecs
from pathlib import Path

from proxy.formats.decompression import open_input
from proxy.formats.schema import InvalidDataError

_START = 4096
_DIRECTORY = 64 * 1024
"""Bytes at the end of a ZIP file where its files' names are."""
_TITLE = b"bing spatial data services"
_WORKBOOK = "save its sheet as text (CSV UTF-8 or Unicode text)"
_TWICE = "it is packed twice: pack it once"
_ALONE = "send the file as it is, as curl --data-binary @file does"

Cause = tuple[str, frozenset[str]]
"""What data is, and the inputs that can be that."""

_IN_ZIP: tuple[tuple[bytes, Cause], ...] = (
    (b"xl/workbook", (f"it is an Excel workbook: {_WORKBOOK}", frozenset())),
    (b"opendocument.spreadsheet", (f"it is an OpenDocument workbook: {_WORKBOOK}", frozenset())),
    (b".shp", ("it is a shapefile: send input=shp", frozenset({"shp"}))),
    (b".kml", ("it is KMZ: send input=kml", frozenset({"kml"}))),
)
_BINARY: tuple[tuple[bytes, Cause], ...] = (
    (codecs.BOM_UTF32_LE, ("it is UTF-32: save it as UTF-8", frozenset())),
    (codecs.BOM_UTF32_BE, ("it is UTF-32: save it as UTF-8", frozenset())),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (f"it is an Excel workbook: {_WORKBOOK}", frozenset())),
    (b"\x1f\x8b", (_TWICE, frozenset())),
    (b"PK\x03\x04", (_TWICE, frozenset())),
)
_UTF16: Cause = ("it is UTF-16 without a byte order mark: save it as UTF-8", frozenset())
_EMPTY: Cause = ("it is empty", frozenset())
_NO_HEADER: Cause = (
    "the line with the entity type and that with the schema are missing",
    frozenset({"xml", "kml", "shp"}),
)
_KML: Cause = ("it is KML: send input=kml", frozenset({"kml"}))
_FORM: Cause = (f"it is a form (multipart/form-data): {_ALONE}", frozenset())
_ENCODED: Cause = (f"it is URL-encoded: {_ALONE}", frozenset())
_TEXT: tuple[tuple[bytes, Cause], ...] = (
    (b"<!doctype html", ("it is a page of HTML", frozenset())),
    (b"<html", ("it is a page of HTML", frozenset())),
    (b"<", ("it is XML: send input=xml", frozenset({"xml"}))),
    (b"{", ("it is JSON, which no input reads", frozenset())),
    (b"[", ("it is JSON, which no input reads", frozenset())),
    (_TITLE, ("it is text of lines: send input=csv, tab or pipe", frozenset({"csv", "tab", "pipe"}))),
)


def find_likely_cause(file: Path, form: str, max_bytes: int) -> str | None:
    """The kind of data that a file holds instead of the input `form`; None where it isn't clear."""
    found = _inspect_zip(file)
    if found is None:
        try:
            with open_input(file, max_bytes) as data:
                found = _inspect(data.read(_START))
        except InvalidDataError:
            return None
    return found[0] if found and form not in found[1] else None


def _inspect_zip(file: Path) -> Cause | None:
    """The contents of a ZIP file, by the names in it."""
    with file.open("rb") as data:
        start = data.read(_START)
        data.seek(max(0, file.stat().st_size - _DIRECTORY))
        names = (start + data.read(_DIRECTORY)).lower()
    return next((cause for name, cause in _IN_ZIP if name in names), None) if start.startswith(b"PK") else None


def _inspect(data: bytes) -> Cause | None:
    """The kind of uncompressed data, by its start."""
    binary = next((cause for magic, cause in _BINARY if data.startswith(magic)), None)
    if binary or (data[:1] == b"\0") != (data[1:2] == b"\0"):
        return binary or _UTF16
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", errors="replace").encode()
    start = data.removeprefix(codecs.BOM_UTF8).lstrip(b' \t\r\n"').lower()
    line = start.partition(b"\n")[0]
    if not start:
        return _EMPTY
    if start.startswith(b"--") and b"content-disposition" in start:
        return _FORM
    if any(_TITLE.replace(b" ", blank) in line for blank in (b"%20", b"+")):
        return _ENCODED
    if start.startswith(b"<") and b"<kml" in start:
        return _KML
    return next((cause for begin, cause in _TEXT if start.startswith(begin)), _NO_HEADER)
