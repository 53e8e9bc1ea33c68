"""The OData service metadata document: the entity types of data sources (Get Data Source Information)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.model.data_sources import DataSource
from adapters.model.ticks import Ticks
from adapters.model.versions import list_versions
from proxy.formats.schema import EdmType, EntityType
from proxy.wire.xml_renderer import escape_attribute

EDMX = "http://schemas.microsoft.com/ado/2007/06/edmx"
DATA_SERVICES = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
EDM = "http://schemas.microsoft.com/ado/2008/09/edm"

_STRING_FACETS = ' MaxLength="2560" Unicode="true" FixedLength="false"'


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataEntry:
    """One version of a data source, and the type of its entities."""

    name: str
    job_id: str
    is_public: bool
    entity_type: EntityType


def metadata_entries(source: DataSource, now: Ticks, *, all_versions: bool) -> Iterator[MetadataEntry]:
    """The entries of a data source: all its versions, or the first of them."""
    for version in list_versions(source, now)[: None if all_versions else 1]:
        yield MetadataEntry(
            name=source.name,
            job_id=version.job_id,
            is_public=source.is_public and version is not source.staged,
            entity_type=EntityType.from_json(version.schema),
        )


def render_metadata(entries: Iterable[MetadataEntry]) -> bytes:
    """The EDMX document: for each entry a schema with its entity type, and one with its container."""
    schemas = "".join(map(_render_schemas, entries))
    return f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx xmlns:edmx="{EDMX}" xmlns:m="{DATA_SERVICES}" Version="1.0">
  <edmx:DataServices DataServiceVersion="1.0">
{schemas}  </edmx:DataServices>
</edmx:Edmx>""".encode()


def _render_schemas(entry: MetadataEntry) -> str:
    name, type_name = escape_attribute(entry.name), escape_attribute(entry.entity_type.name)
    key, job_id = escape_attribute(entry.entity_type.key), escape_attribute(entry.job_id)
    properties = "\n        ".join(_render_properties(entry.entity_type))
    return f"""    <Schema Namespace="{name}DataSource" xmlns="{EDM}">
      <EntityType Name="{type_name}">
        <Key>
          <PropertyRef Name="{key}" />
        </Key>
        {properties}
      </EntityType>
    </Schema>
    <Schema Namespace="{name}" xmlns="{EDM}">
      <EntityContainer Name="{name}Context" m:IsDefaultEntityContainer="true" \
IsPublic="{str(entry.is_public).lower()}" JobID="{job_id}">
        <EntitySet Name="{type_name}" EntityType="{name}DataSource.{type_name}" />
      </EntityContainer>
    </Schema>
"""


def _render_properties(entity_type: EntityType) -> Iterator[str]:
    for each in entity_type.properties:
        facets = _STRING_FACETS if each.type is EdmType.STRING else ""
        nullable = "false" if each.name == entity_type.key else "true"
        yield f'<Property Name="{escape_attribute(each.name)}" Type="{each.type}" Nullable="{nullable}"{facets} />'
