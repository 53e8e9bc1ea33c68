"""An export is the XML that clients of downloads read; an error log is a line for each failure."""

import io
from typing import Any

import pyarrow as pa
import pytest

from proxy.exchange.batch import Failure
from proxy.exchange.export import write_export, write_failures
from proxy.exchange.schema import EdmType, EntityType, Property
from tests.exchange.loading import export, load
from tests.exchange.samples import FOURTH_COFFEE

TYPE = EntityType(
    "Shops",
    (Property("EntityID", EdmType.STRING), Property("Made", EdmType.DATETIME), Property("Area", EdmType.DOUBLE)),
    "EntityID",
)


def written(*rows: Any) -> str:
    out = io.BytesIO()
    assert write_export(TYPE, [pa.RecordBatch.from_pylist(list(rows), TYPE.arrow())], out) == len(rows)
    return out.getvalue().decode()


def test_an_export_is_these_bytes() -> None:
    rows = [{"EntityID": "a&b", "Made": 0, "Area": 1.5}, {"EntityID": "", "Made": None, "Area": None}]
    assert (
        written(*rows)
        == """<?xml version="1.0" encoding="utf-8"?>
<ShopsData>
  <xs:schema id="ShopsSet" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="ShopsSet" msdata:IsDataSet="true" msdata:UseCurrentLocale="true">
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
        (1e21, "1e+21"),
    ],
)
def test_a_double_is_spelled_as_xml_schema_does(number: float, text: str) -> None:
    assert f"<Area>{text}</Area>" in written({"EntityID": "1", "Area": number})


def test_nothing_comes_before_the_schema() -> None:
    lines = export(load(FOURTH_COFFEE, "xml")).decode().splitlines()
    assert lines[1] == "<FourthCoffeeShopsData>"
    assert lines[2].startswith("  <xs:schema ")


def test_an_export_of_nothing_has_its_schema() -> None:
    out = io.BytesIO()
    assert write_export(TYPE, [pa.RecordBatch.from_pylist([], TYPE.arrow())], out) == 0
    assert out.getvalue().endswith(b"</xs:schema>\n</ShopsData>\n")


def test_an_error_log_has_a_line_for_each_failure() -> None:
    out = io.BytesIO()
    write_failures(
        [Failure("line 3", "1\n2", "Open is no number"), Failure("line 4", None, "EntityID is missing")], out
    )
    assert out.getvalue() == b"line 3, id 1 2: Open is no number\nline 4: EntityID is missing\n"
