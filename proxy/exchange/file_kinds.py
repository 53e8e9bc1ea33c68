"""What a file is by its first bytes, for messages about a file that is not what it was sent as."""

_MOST = 512
_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls) or another Office file: save it as the format that is loaded"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\x1f\x8b", "a gzip file, packed more than once"),
    (b"%PDF", "a PDF file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite", "a database, maybe a GeoPackage"),
    (b"\x00\x00\x27\x0a", "a .shp file: send it in a ZIP file with its .dbf file, with input=shp"),
)
_TEXTS = (
    (("<!doctype html", "<html"), "an HTML page, maybe that of a sign-in or an error"),
    (("bing spatial data services",), "delimited text: send it with input=csv, tab or pipe"),
    (("--",), "a multipart form: send the file itself as the body"),
    (("{", "["), "JSON"),
    (("<kml",), "KML: send it with input=kml"),
)


def kind_of(start: bytes) -> str | None:
    """What begins with these bytes, as a phrase with an article; None if that can't be said."""
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    text = start[:_MOST].decode("utf-8-sig", "replace").lstrip().lower()
    return next((kind for starts, kind in _TEXTS if text.startswith(starts)), None)
