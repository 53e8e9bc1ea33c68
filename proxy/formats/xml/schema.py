"""The schema of an XML file, in the dialect of .NET's DataSet: read, and written as the documented sample has it."""

import re
from xml.sax.saxutils import quoteattr

from lxml.etree import _Element

from proxy.formats.schema import EdmType, EntityType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema

_XSD, _MSDATA = "http://www.w3.org/2001/XMLSchema", "urn:schemas-microsoft-com:xml-msdata"
_PREFIXES = {"xs": _XSD}
SCHEMA = f"{{{_XSD}}}schema"

XML_TYPES = {
    EdmType.STRING: "string",
    EdmType.INT64: "long",
    EdmType.BOOLEAN: "boolean",
    EdmType.DOUBLE: "double",
    EdmType.DATETIME: "dateTime",
    EdmType.GEOGRAPHY: "anyType",
}
# Also what looks like such an encoding already, or it would be decoded.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]|\A[0-9-]|_(?=[Xx](?:[0-9A-Fa-f]{4}){1,2}_)")

_EDM_TYPES = {name.lower(): type_ for type_, name in XML_TYPES.items()}
_WHOLE = frozenset(f"{sign}{name}" for sign in ("", "unsigned") for name in ("long", "int", "short", "byte")) | {
    "integer",
    "nonnegativeinteger",
    "positiveinteger",
    "nonpositiveinteger",
    "negativeinteger",
}


def parse_schema(schema: _Element) -> DeclaredSchema:
    """The entity type that a schema element declares.

    Raises:
        InvalidDataError: it is not in the DataSet dialect, or has types that no property can have.
    """
    sets = [
        element
        for element in _all(schema, "xs:element")
        if element.get(f"{{{_MSDATA}}}IsDataSet", "").lower() == "true"
    ]
    if len(sets) != 1:
        raise InvalidDataError('the schema has to have one element with msdata:IsDataSet="true"')
    types = _all(sets[0], "xs:complexType/xs:choice/xs:element") + _all(
        sets[0], "xs:complexType/xs:sequence/xs:element"
    )
    if len(types) != 1:
        raise InvalidDataError(f"the schema has to declare one entity type, and declares {len(types) or 'none'}")
    elements = _all(types[0], "xs:complexType/xs:sequence/xs:element") + _all(
        types[0], "xs:complexType/xs:all/xs:element"
    )
    keys = tuple(_keys(sets[0]))
    properties = tuple(_property(element, keys) for element in elements)
    return DeclaredSchema(types[0].get("name", ""), properties, keys)


def _all(element: _Element, path: str) -> list[_Element]:
    return element.findall(path, _PREFIXES)


def _property(element: _Element, keys: tuple[str, ...]) -> Property:
    name = element.get("name", "")
    restriction = element.find("xs:simpleType/xs:restriction", _PREFIXES)
    type_name = element.get("type") or (restriction.get("base") if restriction is not None else None) or "none"
    plain = type_name.rpartition(":")[2].lower()
    if plain in _WHOLE and name.lower() in {key.lower() for key in keys}:
        return Property(name, EdmType.STRING)  # a shipped tool's keys are numbers; they are read as text
    type_ = _EDM_TYPES.get(plain)
    if type_ is None:
        known = ", ".join(f"xs:{xml}" for xml in XML_TYPES.values())
        raise InvalidDataError(f"the type {type_name[:50]!r} of {name[:50]} is none of {known}")
    return Property(name, type_)


def _keys(data_set: _Element) -> list[str]:
    fields = []
    for unique in _all(data_set, "xs:unique") + _all(data_set, "xs:key"):
        if unique.get(f"{{{_MSDATA}}}PrimaryKey", "").lower() == "true":
            fields += [field.get("xpath", "").rpartition(":")[2].strip() for field in _all(unique, "xs:field")]
    return fields


def encoded(name: str) -> str:
    """A name as XmlConvert.EncodeLocalName of .NET writes it where it is no XML name: `$` becomes `_x0024_`."""
    return _NOT_IN_NAMES.sub(lambda found: f"_x{ord(found[0]):04X}_", name)


def render_schema(entity_type: EntityType, data_source: str) -> str:
    """The schema element, as the first child of the root.

    Its data set is called as the data source: a shipped client takes that name when it uploads what it downloaded.
    """
    data_set, name = quoteattr(encoded(data_source)), quoteattr(entity_type.name)
    elements = "".join(f"                {_element(entity_type, property_)}\n" for property_ in entity_type.properties)
    return f"""\
  <xs:schema id={data_set} xmlns="" xmlns:xs="{_XSD}" xmlns:msdata="{_MSDATA}">
    <xs:element name={data_set} msdata:IsDataSet="true" msdata:UseCurrentLocale="true">
      <xs:complexType>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name={name}>
            <xs:complexType>
              <xs:sequence>
{elements}\
              </xs:sequence>
            </xs:complexType>
          </xs:element>
        </xs:choice>
      </xs:complexType>
      <xs:unique name="Constraint1" msdata:PrimaryKey="true">
        <xs:selector xpath=".//{entity_type.name}" />
        <xs:field xpath="{entity_type.key}" />
      </xs:unique>
    </xs:element>
  </xs:schema>
"""


def _element(entity_type: EntityType, property_: Property) -> str:
    mode = ' msdata:DateTimeMode="Utc"' if property_.type is EdmType.DATETIME else ""
    optional = "" if property_.name == entity_type.key else ' minOccurs="0"'
    return f'<xs:element name="{property_.name}"{mode} type="xs:{XML_TYPES[property_.type]}"{optional} />'
