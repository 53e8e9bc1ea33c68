"""A digest says whether two downloads have the same entities."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from proxy.comparison.entity_digest import DownloadError, EntityDigest, digest_download

XSD = "http://www.w3.org/2001/XMLSchema"
DOCUMENT = (
    '<?xml version="1.0"?><Data><xs:schema xmlns:xs="{xsd}"><xs:element name="Shop"><xs:complexType><xs:sequence>'
    '<xs:element name="Id" type="xs:string"/><xs:element name="At" type="xs:double"/>'
    '<xs:element name="Open" type="xs:boolean"/><xs:element name="Since" type="xs:dateTime"/>'
    "</xs:sequence></xs:complexType></xs:element></xs:schema>{entities}</Data>"
)
FIRST = "<Shop><Id>1</Id><At>1.50</At><Open>1</Open><Since>2010-11-03T23:31:36.500Z</Since></Shop>"
FIRST_AGAIN = "<Shop><Since>2010-11-03T23:31:36.5</Since><Open>true</Open><At>1.5</At><Id>1</Id></Shop>"
SECOND = "<Shop><Id>2</Id><At>none</At><Since>2010-11-03T23:31:36</Since></Shop>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "download"


def digest(path: Path, *entities: str) -> EntityDigest:
    """The digest of a document with these entities."""
    path.write_text(DOCUMENT.format(xsd=XSD, entities="".join(entities)))
    return digest_download(path)


def test_digest_is_the_same_in_any_order_and_spelling(path: Path) -> None:
    found = digest(path, FIRST, SECOND)
    assert found.entities == 2
    assert found == digest(path, SECOND, FIRST_AGAIN)


@pytest.mark.parametrize(
    "entities",
    [
        [FIRST],
        [FIRST, FIRST, SECOND],
        [FIRST.replace("1.50", "1.51"), SECOND],
        [FIRST.replace("<Open>1</Open>", ""), SECOND],
        [FIRST.replace("<Id>1</Id>", "<Id/>"), SECOND],
        [FIRST, SECOND.replace("36<", "37<")],
    ],
)
def test_digest_differs_with_the_entities(path: Path, entities: list[str]) -> None:
    assert digest(path, FIRST, SECOND) != digest(path, *entities)


def test_digest_of_a_packed_download_is_that_of_the_file_in_it(path: Path) -> None:
    plain = digest(path, FIRST)
    content = path.read_bytes()
    path.write_bytes(gzip.compress(content))
    assert digest_download(path) == plain
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Shops.xml", content)
    path.write_bytes(packed.getvalue())
    assert digest_download(path) == plain


def test_lines_of_a_text_are_entities(path: Path) -> None:
    path.write_text("head\r\n1|2\r\n")
    found = digest_download(path)
    path.write_text("1|2\nhead\n")
    assert digest_download(path) == found
    assert found.entities == 2


@pytest.mark.parametrize(
    "content", [b"<a><b>", gzip.compress(b"<a/>", mtime=0)[:-6], b"PK\x03\x04", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a"]
)
def test_damaged_download_can_not_be_read(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DownloadError, match="can't be read"):
        digest_download(path)


def test_packed_download_of_two_files_can_not_be_read(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    with pytest.raises(DownloadError):
        digest_download(path)
