"""The OData service metadata document: what entity types data sources have (Get Data Source Information)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.model.ticks import Ticks
from adapters.tables.data_source_store import DataSource
from proxy.formats.schema import EdmType, EntityType, Property
from proxy.wire.version_entries import versions
from proxy.wire.xml_renderer import INDENT, escaped_attribute

EDMX = "http://schemas.microsoft.com/ado/2007/06/edmx"
DATA_SERVICES = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
EDM = "http://schemas.microsoft.com/ado/2008/09/edm"

_STRING_FACETS = ' MaxLength="2560" Unicode="true" FixedLength="false"'


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataEntry:
    """One version of a data source, and the entity type that its entities have."""

    name: str
    job_id: str
    is_public: bool
    entity_type: EntityType


def metadata_entries(source: DataSource, now: Ticks, *, all_versions: bool) -> Iterator[MetadataEntry]:
    """What a metadata document tells of a data source."""
    for version in versions(source, now, all_versions=all_versions):
        yield MetadataEntry(
            name=source.name,
            job_id=version.job_id,
            is_public=source.is_public and version is not source.staged,
            entity_type=EntityType.from_json(version.schema),
        )


def render_metadata(sources: Iterable[MetadataEntry]) -> bytes:
    """The EDMX document: for each data source a schema with its entity type, and one with its container."""
    return "\n".join(_document(sources)).encode()


def _document(sources: Iterable[MetadataEntry]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" xmlns:m="{DATA_SERVICES}" Version="1.0">'
    yield f'{INDENT}<edmx:DataServices DataServiceVersion="1.0">'
    for source in sources:
        yield from _entity_type(source)
        yield from _container(source)
    yield f"{INDENT}</edmx:DataServices>"
    yield "</edmx:Edmx>"


def _entity_type(source: MetadataEntry) -> Iterator[str]:
    entity_type = source.entity_type
    yield f'{INDENT * 2}<Schema Namespace="{_space(source)}" xmlns="{EDM}">'
    yield f'{INDENT * 3}<EntityType Name="{escaped_attribute(entity_type.name)}">'
    yield f"{INDENT * 4}<Key>"
    yield f'{INDENT * 5}<PropertyRef Name="{escaped_attribute(entity_type.key)}" />'
    yield f"{INDENT * 4}</Key>"
    for each in entity_type.properties:
        yield f"{INDENT * 4}{_property(each, is_key=each.name == entity_type.key)}"
    yield f"{INDENT * 3}</EntityType>"
    yield f"{INDENT * 2}</Schema>"


def _property(each: Property, *, is_key: bool) -> str:
    facets = _STRING_FACETS if each.type is EdmType.STRING else ""
    nullable = "false" if is_key else "true"
    return f'<Property Name="{escaped_attribute(each.name)}" Type="{each.type}" Nullable="{nullable}"{facets} />'


def _container(source: MetadataEntry) -> Iterator[str]:
    name, type_name = escaped_attribute(source.name), escaped_attribute(source.entity_type.name)
    public = "true" if source.is_public else "false"
    told = f'IsPublic="{public}" JobID="{escaped_attribute(source.job_id)}"'
    yield f'{INDENT * 2}<Schema Namespace="{name}" xmlns="{EDM}">'
    yield f'{INDENT * 3}<EntityContainer Name="{name}Context" m:IsDefaultEntityContainer="true" {told}>'
    yield f'{INDENT * 4}<EntitySet Name="{type_name}" EntityType="{_space(source)}.{type_name}" />'
    yield f"{INDENT * 3}</EntityContainer>"
    yield f"{INDENT * 2}</Schema>"


def _space(source: MetadataEntry) -> str:
    return f"{escaped_attribute(source.name)}DataSource"
