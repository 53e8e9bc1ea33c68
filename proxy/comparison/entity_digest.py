"""A digest over the entities of a download, whatever their order, and how many there are."""

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lxml import etree

_XSD = "http://www.w3.org/2001/XMLSchema"
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_ENTITY_DEPTH = 2
_BITS = 256


class DownloadError(Exception):
    """A download can't be read; the text is a sentence without values."""


@dataclass(frozen=True, slots=True)
class EntityDigest:
    """The sum of the entities' SHA-256 digests, as hex digits, and their number."""

    digest: str
    entities: int


def digest_download(path: Path) -> EntityDigest:
    """Reads a download: XML, or text of which each line is an entity; plain, gzip or ZIP.

    The sum of the digests says the same as a digest over sorted entities, and needs no memory for them.

    Raises:
        DownloadError: the file is damaged.
    """
    total = count = 0
    try:
        with _opened(path) as file:
            for entity in _entities(file):
                total += int.from_bytes(sha256(entity).digest(), "big")
                count += 1
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, etree.LxmlError) as error:
        raise DownloadError(f"the download can't be read: {type(error).__name__}") from error
    return EntityDigest(f"{total % (1 << _BITS):064x}", count)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        beginning = file.read(len(_ZIP))
    if beginning == _ZIP:
        with zipfile.ZipFile(path) as archive:
            names = [each for each in archive.namelist() if not each.endswith("/")]
            if len(names) != 1:
                raise ValueError("not one file")
            with archive.open(names[0]) as inner:
                yield inner
    elif beginning.startswith(_GZIP):
        with gzip.open(path) as unpacked:
            yield unpacked
    else:
        with path.open("rb") as plain:
            yield plain


def _entities(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - a file, a GzipFile or a ZipExtFile
    beginning = file.read(64)
    file.seek(0)
    if not beginning.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        yield from (line.rstrip(b"\r\n") for line in file)
        return
    types: dict[str, str] = {}
    depth = 0
    options: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    for event, element in etree.iterparse(file, ("start", "end"), **options):
        depth += 1 if event == "start" else -1
        if event == "end" and depth == _ENTITY_DEPTH - 1:
            if etree.QName(element).namespace == _XSD:
                types.update(
                    (str(each.get("name")), str(each.get("type")).rpartition(":")[2])
                    for each in element.iter(f"{{{_XSD}}}element")
                    if each.get("type")
                )
            else:
                yield _entity(element, types)
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]


def _entity(element: etree._Element, types: dict[str, str]) -> bytes:
    """An entity as its properties in the order of their names; numbers in one spelling."""
    properties = (
        (name, _spell(each.text or "", types.get(name, "")))
        for each in element.iterchildren("*")
        for name in (str(etree.QName(each).localname),)
    )
    return "\0".join(part for pair in sorted(properties) for part in pair).encode()


def _spell(text: str, type_: str) -> str:
    """A value in one spelling for its type."""
    try:
        if type_ == "double":
            return repr(float(text))
        if type_ == "boolean":
            return {"1": "true", "0": "false"}.get(text.strip().lower(), text.strip().lower())
    except ValueError:
        pass
    if type_ == "dateTime":
        whole, dot, fraction = text.strip().removesuffix("Z").partition(".")
        return f"{whole}{dot}{fraction}".rstrip("0").rstrip(".") if dot else whole
    return text
