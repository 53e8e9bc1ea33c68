"""The bytes of the metadata document (write-contract.md, "Shapes of the information answers")."""

from lxml import etree

from proxy.formats.schema import EdmType, EntityType, Property
from proxy.wire.edmx import MetadataEntry, render_metadata
from tests.support.stored_jobs import SHOPS

JOB = "20181f26d9e94c81acdf9496133d4fab"


def test_the_metadata_document_is_this_to_the_byte() -> None:
    described = MetadataEntry(name="Shops", job_id=JOB, is_public=True, entity_type=SHOPS)
    edm = "http://schemas.microsoft.com/ado/2008/09/edm"
    spaces = 'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" Version="1.0"'
    string = 'MaxLength="2560" Unicode="true" FixedLength="false"'
    assert render_metadata([described]).decode().splitlines() == [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" {spaces}>',
        '  <edmx:DataServices DataServiceVersion="1.0">',
        f'    <Schema Namespace="ShopsDataSource" xmlns="{edm}">',
        '      <EntityType Name="CoffeeShops">',
        "        <Key>",
        '          <PropertyRef Name="EntityID" />',
        "        </Key>",
        f'        <Property Name="EntityID" Type="Edm.String" Nullable="false" {string} />',
        '        <Property Name="Latitude" Type="Edm.Double" Nullable="true" />',
        '        <Property Name="Longitude" Type="Edm.Double" Nullable="true" />',
        '        <Property Name="Seats" Type="Edm.Int64" Nullable="true" />',
        '        <Property Name="IsOpen" Type="Edm.Boolean" Nullable="true" />',
        '        <Property Name="Since" Type="Edm.DateTime" Nullable="true" />',
        '        <Property Name="Area" Type="Edm.Geography" Nullable="true" />',
        f'        <Property Name="City" Type="Edm.String" Nullable="true" {string} />',
        "      </EntityType>",
        "    </Schema>",
        f'    <Schema Namespace="Shops" xmlns="{edm}">',
        f'      <EntityContainer Name="ShopsContext" m:IsDefaultEntityContainer="true" IsPublic="true" JobID="{JOB}">',
        '        <EntitySet Name="CoffeeShops" EntityType="ShopsDataSource.CoffeeShops" />',
        "      </EntityContainer>",
        "    </Schema>",
        "  </edmx:DataServices>",
        "</edmx:Edmx>",
    ]


def test_odd_names_are_escaped() -> None:
    odd = EntityType('A<&>"', (Property("Id", EdmType.STRING),), "Id")
    root = etree.fromstring(render_metadata([MetadataEntry(name="~`{}", job_id=JOB, is_public=False, entity_type=odd)]))
    (entity_type,) = root.iter("{*}EntityType")
    (container,) = root.iter("{*}EntityContainer")
    assert (entity_type.get("Name"), container.get("IsPublic")) == ('A<&>"', "false")


def test_an_account_without_data_sources_has_a_document_too() -> None:
    root = etree.fromstring(render_metadata([]))
    assert [etree.QName(child).localname for child in root] == ["DataServices"]
    assert len(root[0]) == 0
