"""The entity type that is stored beside a version, as queries read it."""

import json

import pytest

from proxy.formats.schema import EdmType, EntityType
from proxy.formats.schema import Property as FormatProperty
from proxy.query.schema import Property, PropertyType, Schema
from tests.unit.query.samples import BOUNDARY, KEY, NAME, SCHEMA


def test_it_reads_what_a_load_stores() -> None:
    places = (FormatProperty("latitude", EdmType.DOUBLE), FormatProperty("Longitude", EdmType.DOUBLE))
    properties = (*(FormatProperty(f"P{at}", type_) for at, type_ in enumerate(EdmType)), *places)
    stored = EntityType("T", properties, "P0").to_json()
    read = Schema.from_json(stored)
    assert (read.name, read.key) == ("T", "P0")
    assert [(each.name, f"Edm.{each.type}") for each in read.properties] == [
        (each.name, each.type) for each in properties
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name":"T","key":"A","properties":{"A":"Text"}}', '{"name":"T","key":"B","properties":{}}'],
)
def test_other_texts_are_no_entity_type(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an entity type|Expecting value|is not a valid PropertyType"):
        Schema.from_json(text)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"Latitude": None}, "Latitude of type Double"),
        ({"Longitude": "String"}, "Longitude of type Double"),
        ({"Id": "Int64"}, "Id of type String"),
    ],
)
def test_an_entity_type_has_an_id_and_a_place(change: dict[str, str | None], missing: str) -> None:
    whole = {"Id": "String", "Latitude": "Double", "Longitude": "Double"} | change
    properties = {name: type_ for name, type_ in whole.items() if type_}
    with pytest.raises(ValueError, match=f"without {missing}"):
        Schema.from_json(json.dumps({"name": "T", "key": "Id", "properties": properties}))


def test_names_are_found_in_any_letter_case() -> None:
    assert SCHEMA.find("NAME") == NAME
    assert SCHEMA.find("nothing") is None
    assert SCHEMA.geography == BOUNDARY


def test_entity_id_is_the_key_unless_another_property_has_the_name() -> None:
    assert SCHEMA.find("EntityId") == SCHEMA.find("storeid") == KEY
    other = Property("EntityId", PropertyType.INT64)
    schema = Schema("T", (Property("Id", PropertyType.STRING), other), "Id")
    assert schema.find("entityid") == other
