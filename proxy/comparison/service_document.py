"""Reads what an endpoint says of its data sources: the AtomPub service document, and the schemas of `$metadata`.

The service and this project write the documents alike; attributes may lack their namespace, and dates have any offset.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml import etree

from proxy.comparison.documents import is_huge, read_xml
from proxy.comparison.read_only import ROOT

_SEGMENTS = 4  # data, access id, name, entity type


class DocumentError(Exception):
    """A body is not the document that it should be; the text is a sentence without values."""


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A version of a data source, as the service document lists it.

    `path` leads to its entities, below /REST/v1/, as the endpoint wrote it. `updated` is the date as written: of a
    staged version when it was uploaded. `job_id` is listed with all versions only. What is not written is empty.
    """

    name: str
    access_id: str
    entity_type: str
    path: str
    is_public: bool = False
    is_staging: bool = False
    is_active: bool = True
    updated: str = ""
    job_id: str = ""
    description: str = ""

    @property
    def parent(self) -> str:
        """The path without the entity type: that of the data source's own information."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Schema:
    """An entity type: its key property, and the properties in their order with their Edm types."""

    entity_type: str
    key: str = ""
    properties: tuple[tuple[str, str], ...] = ()

    def type_of(self, name: str) -> str:
        """The Edm type of a property; empty where there is none."""
        return dict(self.properties).get(name, "")


def read_service_document(body: bytes) -> tuple[ListedSource, ...]:
    """The data sources, or the versions of one, in their order.

    Raises:
        DocumentError: the body is no service document.
    """
    root = _root(body, "service", "no AtomPub service document")
    return tuple(source for space in root.iterfind("{*}workspace") for source in _read_workspace(space))


def read_schemas(body: bytes) -> tuple[Schema, ...]:
    """The entity types of `$metadata`, in their order.

    Raises:
        DocumentError: the body is no service metadata document.
    """
    root = _root(body, "Edmx", "no service metadata document")
    return tuple(
        Schema(
            str(found.get("Name", "")),
            "".join(str(each.get("Name")) for each in found.findall("{*}Key/{*}PropertyRef")[:1]),
            tuple((str(each.get("Name")), str(each.get("Type"))) for each in found.iterfind("{*}Property")),
        )
        for found in root.iter("{*}EntityType")
    )


def _root(body: bytes, name: str, failure: str) -> etree._Element:
    try:
        root = None if is_huge(body) else read_xml(body)
    except (ValueError, etree.LxmlError):
        root = None
    if root is None or etree.QName(root).localname != name:
        raise DocumentError(failure)
    return root


def _read_workspace(space: etree._Element) -> list[ListedSource]:
    attributes = {etree.QName(str(name)).localname.lower(): str(value) for name, value in space.attrib.items()}
    found = []
    for collection in space.iterfind("{*}collection"):
        href = next((str(value) for name, value in collection.attrib.items() if str(name).endswith("href")), "")
        path = _path_of(href)
        if path:
            _, access_id, name, entity_type = (unquote(each) for each in path.split("/"))
            found.append(
                ListedSource(
                    _text(space, "title") or name,
                    access_id,
                    _text(collection, "title") or entity_type,
                    path,
                    is_public=attributes.get("ispublic") == "true",
                    is_staging=attributes.get("isstagingdatasource") == "true",
                    is_active=attributes.get("isactive", "true") == "true",
                    updated=attributes.get("updated") or attributes.get("uploaded", ""),
                    job_id=_text(space, "jobId"),
                    description=_text(space, "description") or _text(space, "summary"),
                )
            )
    return found


def _path_of(href: str) -> str:
    """The part of a URL below /REST/v1/; empty where it leads to no entity type."""
    try:
        whole = urlsplit(href).path
    except ValueError:
        return ""
    at = whole.lower().find(ROOT.lower())
    path = whole[at + len(ROOT) :].strip("/") if at >= 0 else ""
    return path if path.count("/") == _SEGMENTS - 1 and path.lower().startswith("data/") else ""


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"{{*}}{name}") or "").strip()
