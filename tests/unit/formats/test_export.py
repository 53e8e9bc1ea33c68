"""An export is the XML that clients of downloads read; an error log is a line for each failure."""

import io
from typing import Any

import pyarrow as pa
import pytest
from lxml import etree

from proxy.formats.batches import RowError
from proxy.formats.exporter import write_export, write_failures
from proxy.formats.schema import EdmType, EntityType, Property
from tests.unit.formats.loading import load

TYPE = EntityType(
    "Shops",
    (Property("EntityID", EdmType.STRING), Property("Made", EdmType.DATETIME), Property("Area", EdmType.DOUBLE)),
    "EntityID",
)
PLACED = EntityType(
    "Shops", (*TYPE.properties, Property("Latitude", EdmType.DOUBLE), Property("Longitude", EdmType.DOUBLE)), "EntityID"
)


def export_rows(*rows: Any, data_source: str = "Shop-List", entity_type: EntityType = TYPE) -> str:
    out = io.BytesIO()
    batches = [pa.RecordBatch.from_pylist(list(rows), entity_type.arrow())]
    assert write_export(entity_type, batches, out, data_source=data_source) == len(rows)
    return out.getvalue().decode()


def test_an_export_is_these_bytes() -> None:
    rows = [{"EntityID": "a&b", "Made": 0, "Area": 1.5}, {"EntityID": "", "Made": None, "Area": None}]
    assert (
        export_rows(*rows)
        == """<?xml version="1.0" encoding="utf-8"?>
<ShopsData>
  <xs:schema id="Shop-List" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="Shop-List" msdata:IsDataSet="true" msdata:UseCurrentLocale="true">
      <xs:complexType>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="Shops">
            <xs:complexType>
              <xs:sequence>
                <xs:element name="EntityID" type="xs:string" />
                <xs:element name="Made" msdata:DateTimeMode="Utc" type="xs:dateTime" minOccurs="0" />
                <xs:element name="Area" type="xs:double" minOccurs="0" />
              </xs:sequence>
            </xs:complexType>
          </xs:element>
        </xs:choice>
      </xs:complexType>
      <xs:unique name="Constraint1" msdata:PrimaryKey="true">
        <xs:selector xpath=".//Shops" />
        <xs:field xpath="EntityID" />
      </xs:unique>
    </xs:element>
  </xs:schema>
  <Shops>
    <EntityID>a&amp;b</EntityID>
    <Made>0001-01-01T00:00:00.0000000Z</Made>
    <Area>1.5</Area>
  </Shops>
  <Shops>
    <EntityID></EntityID>
  </Shops>
</ShopsData>
"""  # noqa: E501  the bytes
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-0.0, "-0"),
        (float("nan"), "NaN"),
        (float("inf"), "INF"),
        (float("-inf"), "-INF"),
        (5e-324, "5e-324"),
    ],
)
def test_a_double_is_spelled_as_xml_schema_does(number: float, text: str) -> None:
    assert f"<Area>{text}</Area>" in export_rows({"EntityID": "1", "Area": number})


def test_an_export_of_nothing_has_its_schema() -> None:
    assert export_rows().endswith("</xs:schema>\n</ShopsData>\n")


# The second column is what XmlConvert.EncodeLocalName of .NET makes of the first.
ENCODED = [
    ("Shops", "Shops"),
    ("Fourth-Coffee_1", "Fourth-Coffee_1"),
    ("$hops", "_x0024_hops"),
    ("~`!$^={}", "_x007E__x0060__x0021__x0024__x005E__x003D__x007B__x007D_"),
    ("-a-", "_x002D_a-"),
    ("a_x0024_b", "a_x005F_x0024_b"),
    ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"),
    ("_x00010400_", "_x005F_x00010400_"),
    ("_x024_", "_x024_"),
    ("__x0024_", "__x005F_x0024_"),
]


@pytest.mark.parametrize(("name", "encoded"), ENCODED)
def test_the_data_set_is_named_as_the_data_source(name: str, encoded: str) -> None:
    row = {"EntityID": "1", "Latitude": 1.0, "Longitude": 2.0}
    root = etree.fromstring(export_rows(row, data_source=name, entity_type=PLACED).encode())
    schema = root[0]
    (data_set,) = schema
    assert (schema.get("id"), data_set.get("name"), root.tag) == (encoded, encoded, "ShopsData")
    assert [entity["EntityID"] for entity in load(etree.tostring(root), "xml").entities] == ["1"]


def test_a_root_is_never_named_as_the_data_source() -> None:
    root = etree.fromstring(export_rows(data_source="ShopsData").encode())
    assert (root[0].get("id"), root.tag) == ("ShopsData", "ShopsDataRoot")


def test_an_error_log_has_a_line_for_each_failure() -> None:
    out = io.BytesIO()
    write_failures(
        [
            RowError("line 3", "1\n2", "Open is no number"),
            RowError("line 4", None, "EntityID is missing"),
            RowError("line 5", "y" * 3000, "EntityID is too long"),
        ],
        out,
    )
    assert out.getvalue().decode().splitlines() == [
        "line 3, id 1 2: Open is no number",
        "line 4: EntityID is missing",
        f"line 5, id {'y' * 50}...: EntityID is too long",
    ]
