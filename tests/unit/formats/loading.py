"""Loads from bytes, and what came of them."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from proxy.formats.exporter import write_export
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import Batch, InputFormat, Loader, RowError
from proxy.formats.schema import EntityType, InvalidDataError

HEAD = b"Bing Spatial Data Services, 1.0, Shops\n"
PLACE = "Latitude(Edm.Double),Longitude(Edm.Double)"
SEPARATORS = {"csv": ",", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that one load gave."""

    entity_type: EntityType
    batches: list[Batch]

    @property
    def table(self) -> pa.Table:
        return pa.Table.from_batches([batch.entities for batch in self.batches], self.entity_type.arrow())

    @property
    def entities(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    @property
    def failures(self) -> list[RowError]:
        return [failure for batch in self.batches for failure in batch.failures]

    @property
    def reasons(self) -> list[str]:
        return [failure.reason for failure in self.failures]

    @property
    def deleted(self) -> list[str]:
        return [id_ for batch in self.batches for id_ in batch.deleted]


def load(data: bytes, form: str, *, incremental: bool = False, limits: LoadLimits | None = None) -> Loaded:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        file.write_bytes(data)
        made = Loader(file, InputFormat(form), limits or LoadLimits(), incremental=incremental)
        return Loaded(made.entity_type, list(made))


def load_until_error(data: bytes, form: str) -> tuple[Loaded, str]:
    """What a load gave until it ended with an error, and what that says."""
    batches: list[Batch] = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        file.write_bytes(data)
        made = Loader(file, InputFormat(form), LoadLimits(), incremental=False)
        try:
            batches.extend(made)
        except InvalidDataError as error:
            return Loaded(made.entity_type, batches), str(error)
    raise AssertionError("the load ended well")


def export(loaded: Loaded) -> bytes:
    out = io.BytesIO()
    write_export(loaded.entity_type, [batch.entities for batch in loaded.batches], out, data_source="Loaded")
    return out.getvalue()


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)  # the same bytes whenever it is made
    return out.getvalue()


def csv_of(header: str, *rows: str) -> bytes:
    return HEAD + "\n".join([header, *rows, ""]).encode()


def placed(header: str, *rows: str) -> bytes:
    """The same with a location before the other properties, which each schema needs: 1 and 2 in all rows."""
    return csv_of(f"{PLACE},{header}", *(f"1,2,{row}" for row in rows))


def without_place(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name not in {"Latitude", "Longitude"}}


def xml_of(entities: str, *properties: str, key: str = "EntityID", root: str = "Data") -> bytes:
    """A file in the DataSet dialect; a property is `Name:type`, EntityID is there already.

    Each schema needs a location: without one, it is added to the schema and to all entities of the type.
    """
    if not any(property_.startswith("Latitude:") or property_.endswith(":anyType") for property_ in properties):
        properties = (*properties, "Latitude:double", "Longitude:double")
        entities = entities.replace("</Shops>", "<Latitude>1</Latitude><Longitude>2</Longitude></Shops>")
    elements = "".join(
        f'<xs:element name="{name}" type="xs:{type_}" minOccurs="0"/>'
        for name, _, type_ in (property_.partition(":") for property_ in ("EntityID:string", *properties))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{root}>
  <xs:schema id="S" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="S" msdata:IsDataSet="true"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="Shops"><xs:complexType><xs:sequence>{elements}</xs:sequence></xs:complexType></xs:element>
    </xs:choice></xs:complexType>
    <xs:unique name="Constraint1" msdata:PrimaryKey="true"><xs:selector xpath=".//Shops"/><xs:field xpath="{key}"/></xs:unique>
    </xs:element></xs:schema>
{entities}
</{root}>""".encode()  # noqa: E501  a schema, as writers lay it out
