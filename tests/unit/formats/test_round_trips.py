"""Download and load are inverse, for every type, value and geography."""

import csv
import io

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.formats.exporter import write_export
from proxy.formats.schema import EdmType, EntityType
from tests.unit.formats.loading import HEAD, SEPARATORS, export, load
from tests.unit.formats.samples import DELIMITED, FOURTH_COFFEE
from tests.unit.formats.strategies import CHARACTERS, tables
from tests.unit.formats.test_kml import kml, placemark


def same(left: pa.Table, right: pa.Table) -> bool:
    """To the bit: the same bytes in the same columns, so -0.0 is not 0.0 and a NaN is a NaN."""
    plain = [[str(value) for value in column.to_pylist()] for table in (left, right) for column in table.columns]
    half = len(plain) // 2
    return bool(left.schema == right.schema) and plain[:half] == plain[half:]


@settings(max_examples=80, deadline=None)
@given(tables())
def test_what_is_exported_loads_as_the_same_entities(made: tuple[EntityType, pa.Table]) -> None:
    entity_type, table = made
    out = io.BytesIO()
    assert write_export(entity_type, table.to_batches(max_chunksize=2), out, data_source="Made") == len(table)
    loaded = load(out.getvalue(), "xml")
    assert loaded.failures == []
    assert loaded.entity_type == entity_type
    assert same(loaded.table, table)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*SEPARATORS]), tables())
def test_text_loads_exports_and_loads_as_the_same_entities(form: str, made: tuple[EntityType, pa.Table]) -> None:
    entity_type, table = made[0], _as_text_can_say(form, *made)
    out = io.BytesIO()
    write_export(entity_type, table.to_batches(), out, data_source="Made")
    # The values as the export spells them, in text.
    strings = [property_.name for property_ in entity_type.properties if property_.type is EdmType.STRING]
    rows = [dict(row) for row in _spelled(entity_type, table)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATORS[form], lineterminator="\r\n")
    header = [
        f"{property_.name}({property_.type}{',primaryKey' if property_.name == entity_type.key else ''})"
        for property_ in entity_type.properties
    ]
    writer.writerows([row[property_.name] for property_ in entity_type.properties] for row in rows)
    data = HEAD + f"{SEPARATORS[form].join(header)}\n{text.getvalue()}".encode()
    first = load(data, form)
    assert first.failures == []
    second = load(export(first), "xml")
    assert same(first.table, second.table)
    expected = [{name: row[name] or None for name in strings} for row in table.to_pylist()]
    assert [{name: row[name] for name in strings} for row in first.entities] == expected


def _as_text_can_say(form: str, entity_type: EntityType, table: pa.Table) -> pa.Table:
    """The table without what text doesn't hold: NaN and INF, blanks around ids, in tab and pipe line ends."""
    for place, property_ in enumerate(entity_type.properties):
        column = table.column(place)
        if property_.type is EdmType.DOUBLE:
            column = pc.if_else(pc.is_finite(column), column, 0.5)
        elif property_.type is EdmType.STRING and form != "csv":
            column = pc.replace_substring_regex(column, "[\r\n]", " ")
        if property_.name == entity_type.key:
            column = pa.chunked_array([[f"{row}{text}".strip()[:50] for row, text in enumerate(column.to_pylist())]])
        table = table.set_column(place, table.schema.field(place), column)
    return table


def _spelled(entity_type: EntityType, table: pa.Table) -> list[dict[str, str]]:
    from proxy.formats.exporter import _FORMATTERS  # noqa: PLC0415  the same spelling, without XML's references

    columns = {
        property_.name: (
            column if property_.type is EdmType.STRING else _FORMATTERS[property_.type](column.combine_chunks())
        ).to_pylist()
        for property_, column in zip(entity_type.properties, table.columns, strict=True)
    }
    return [{name: values[row] or "" for name, values in columns.items()} for row in range(len(table))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=30), min_size=1, max_size=4))
def test_the_quick_way_reads_what_the_parser_reads(texts: list[str]) -> None:
    entity_type = load(FOURTH_COFFEE, "xml").entity_type
    rows = [
        {"EntityID": str(row), "AddressLine": text, "Latitude": 1.0, "Longitude": 2.0} for row, text in enumerate(texts)
    ]
    out = io.BytesIO()
    write_export(entity_type, [pa.RecordBatch.from_pylist(rows, entity_type.arrow())], out, data_source="Made")
    quick = out.getvalue()
    slow = quick.replace(b"<FourthCoffeeShops>\n    ", b"<FourthCoffeeShops ><!-- -->\n    ")
    assert quick != slow
    assert same(load(quick, "xml").table, load(slow, "xml").table)
    assert [entity["AddressLine"] for entity in load(quick, "xml").entities] == texts


@pytest.mark.parametrize(
    ("form", "data"), [("xml", FOURTH_COFFEE), ("csv", DELIMITED.encode()), ("kml", kml(placemark()))]
)
def test_the_samples_come_back_unchanged(form: str, data: bytes) -> None:
    loaded = load(data, form)
    again = load(export(loaded), "xml")
    assert again.entity_type == loaded.entity_type
    assert same(again.table, loaded.table)
    assert export(again) == export(loaded)
