"""A schema that breaks a rule aborts the load with one clear message (write-contract.md, "Load input")."""

import pytest

from proxy.formats.schema import EdmType, EntityType, InvalidDataError, Property
from tests.unit.formats.loading import PLACE, csv_of, load, xml_of

KEY = "EntityID(Edm.String,primaryKey)"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("EntityID(Edm.String)", "no primary keys"),
        (f"{KEY},Other(Edm.String,primaryKey)", "names 2 primary keys"),
        ("EntityID(Edm.Int64,primaryKey)", "has to be of type Edm.String"),
        (f"{KEY},1Name(Edm.String)", "'1Name' is not of letters"),
        (f"{KEY},__Name(Edm.String)", "'__Name' is not of letters"),
        (f"{KEY},{'n' * 51}(Edm.String)", "longer than 50 characters"),
        (f"{KEY},entityid(Edm.String)", "stands twice"),
        (f"{KEY},One(Edm.Geography),Two(Edm.Geography)", "more than one property of type Edm.Geography"),
        (f"{KEY},latitude(Edm.String)", "latitude has to be of type Edm.Double"),
        (f"{KEY},Name(Edm.Int32)", "line 2: the type 'Edm.Int32' of Name is none of Edm.String, "),
        (f"{KEY},,Name(Edm.String)", "line 2, property 2, is '', which is not like Name"),
        ("", "line 3, property 1, is '1', which is not like Name"),
        (KEY, "the schema has no Latitude and no Longitude: it has to name Latitude and Longitude"),
        (f"{KEY},latitude(Edm.Double)", "the schema has no Longitude: it has to name"),
        (f"{KEY},__deleteEntity(Edm.Boolean)", "incremental loads only"),
        (",".join([KEY, PLACE, *(f"P{number}(Edm.String)" for number in range(350))]), "more than 350 properties"),
    ],
)
def test_a_schema_that_breaks_a_rule_is_refused(header: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(csv_of(header, "1"), "csv")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (f"{KEY},__deleteEntity(Edm.Geography)", "can't be of type"),
        (f"{KEY},__deleteEntity(Edm.String),__DELETEENTITY(Edm.String)", "stands twice"),
    ],
)
def test_a_bad_deletion_mark_is_refused(header: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(csv_of(header, "1"), "csv", incremental=True)


@pytest.mark.parametrize("name", ["1Shops", "Sh ops", "s" * 51])
def test_a_bad_name_of_an_entity_type_is_refused(name: str) -> None:
    with pytest.raises(InvalidDataError, match="the entity type's name"):
        load(f"Bing Spatial Data Services, 1.0, {name}\n{KEY}\n1\n".encode(), "csv")


def test_350_properties_beside_the_location_fit_a_table_property() -> None:
    names = [f"{'p' * 46}{number:04d}" for number in range(349)]
    others = (f"{name}(Edm.DateTime)" for name in names[1:])
    header = ",".join([KEY, PLACE, f"{names[0]}(Edm.Geography)", *others])
    loaded = load(csv_of(header, ",".join(["1", "1", "2", "POINT(1 2)", *[""] * 348])), "csv")
    assert len(loaded.entity_type.properties) == 352
    text = loaded.entity_type.to_json()
    assert len(text) < 32_000
    assert EntityType.from_json(text) == loaded.entity_type


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name":"a","key":"b","properties":{"c":"Int32"}}', '{"name":"a","key":"b","properties":1}'],
)
def test_a_text_that_is_no_entity_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        EntityType.from_json(text)


def test_a_geography_adds_its_location() -> None:
    loaded = load(csv_of(f"{KEY},longitude(Edm.Double),Area(Edm.Geography)", "1,,POINT(3 4)"), "csv")
    (entity,) = loaded.entities
    assert list(entity) == ["EntityID", "longitude", "Area", "Latitude"]
    assert (entity["Latitude"], entity["longitude"]) == (4, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'msdata:IsDataSet="true"', b"", "one element with msdata:IsDataSet"),
        (b'<xs:element name="Shops">', b'<xs:element name="A"/><xs:element name="Shops">', "declares 2"),
        (b'type="xs:string"', b'type="xs:decimal"', "'xs:decimal' of EntityID is none of xs:string"),
        (b'type="xs:string"', b"", "'none' of EntityID"),
        (b'msdata:PrimaryKey="true"', b"", "no primary keys"),
        (b'xpath="EntityID"', b'xpath="Other"', "'Other' is no property"),
        (b"xs:schema", b"xs:other", "first child of the root has to be the schema"),
        (b"<Data>", b"<Data><Shops/>", "first child of the root has to be the schema"),
    ],
)
def test_an_xml_schema_in_another_dialect_is_refused(old: bytes, new: bytes, message: str) -> None:
    data = xml_of("<Shops><EntityID>1</EntityID></Shops>")
    assert old in data
    with pytest.raises(InvalidDataError, match=message):
        load(data.replace(old, new), "xml")


def test_a_restricted_string_is_a_string() -> None:
    facets = b'<xs:restriction base="xs:string"><xs:maxLength value="9"/></xs:restriction>'
    restricted = b"><xs:simpleType>" + facets + b"</xs:simpleType></xs:element>"
    data = xml_of("<Shops><EntityID>1</EntityID></Shops>").replace(b' type="xs:string" minOccurs="0"/>', restricted)
    assert load(data, "xml").entity_type.properties[0] == Property("EntityID", EdmType.STRING)


def test_a_list_of_ids_to_delete_needs_no_location() -> None:
    (batch,) = load(csv_of(f"{KEY},__deleteEntity(Edm.Boolean)", "a,1", "b,true"), "csv", incremental=True).batches
    assert (batch.deleted, len(batch.entities), batch.failures) == (("a", "b"), 0, ())
