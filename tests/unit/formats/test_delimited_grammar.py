"""Delimited text gives the rows of a reference parser, which reads character by character."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.formats.delimited import lines
from proxy.formats.delimited.reader import Delimited
from proxy.formats.schema import EdmType, Property
from proxy.formats.schema_validation import DeclaredSchema
from tests.unit.formats.loading import HEAD, SEPARATORS, load
from tests.unit.formats.test_delimited import with_separator

HEADER = "EntityID(Edm.String,primaryKey),Name(Edm.String),Open(Edm.Int64)"
FIVE = "Latitude(Edm.Double),Longitude(Edm.Double),EntityID(Edm.String,primaryKey),Name(Edm.String),Note(Edm.String)"


def reference(text: str, by: str) -> list[list[str]]:
    """The rows of a text by the rule for quotes, character by character, with no thought of speed."""
    blanks = " \t".replace(by, "")
    rows: list[list[str]] = []
    at = 0
    while at < len(text):
        row, start = [], at
        while True:
            value, at = _value(text, at, by, blanks)
            row.append(value)
            if text[at : at + 1] != by:
                break
            at += 1
        if text[start:at].strip(f" \t{by}"):
            rows.append(row)
        at += 2 if text[at : at + 2] == "\r\n" else 1
    return rows


def _value(text: str, at: int, by: str, blanks: str) -> tuple[str, int]:
    begin = at + len(text[at:]) - len(text[at:].lstrip(blanks))
    if text[begin : begin + 1] == '"':
        end = begin + 1
        while end < len(text) and (by == "," or text[end] not in "\r\n"):
            if text[end] == '"' and text[end + 1 : end + 2] != '"':
                break
            end += 2 if text[end] == '"' else 1
        behind = text[end + 1 :].lstrip(blanks)
        if text[end : end + 1] == '"' and (not behind or behind[0] in f"{by}\r\n"):
            return text[begin + 1 : end].replace('""', '"'), len(text) - len(behind)
    end = at
    while end < len(text) and text[end] not in f"{by}\r\n":
        end += 1
    return text[at:end], end


@settings(max_examples=200, deadline=None)
@example(parts=[",", ",", ",", '"', ",", '"'], piece=4)
@given(
    st.lists(st.sampled_from(['"', '""', ",", "|", "\t", "a", " ", "\n", "\r\n", "\r", "bc"]), max_size=40),
    st.sampled_from([4, 9, 1000]),
)
@pytest.mark.parametrize("form", [*SEPARATORS])
def test_any_text_gives_the_rows_of_the_grammar(form: str, parts: list[str], piece: int) -> None:
    by, text = SEPARATORS[form], "".join(parts)
    properties = tuple(Property(name, EdmType.STRING) for name in "ABC")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE_BYTES", piece)
        read = list(
            Delimited(by).read_rows(io.BytesIO(f"1\n2\n{text}".encode()), DeclaredSchema("T", properties, ("A",)))
        )
    expected = [[*row, "", ""][:3] for row in reference(text, by) if not any(map(str.strip, row[3:]))]
    assert [list(row) for rows in read for row in zip(*map(pa.Array.to_pylist, rows.columns), strict=True)] == [
        [first or None, second or None, third or None] for first, second, third in expected
    ]
    assert sum(len(rows) + len(rows.failures) for rows in read) == len(reference(text, by))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.sampled_from('",|\t\n ab\u00e9\u2028'), max_size=8), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)
@pytest.mark.parametrize("form", [*SEPARATORS])
def test_rows_that_python_writes_come_back(form: str, rows: list[list[str]], quoting: int, end: str) -> None:
    if form != "csv":
        rows = [[value.replace("\n", " ") for value in row] for row in rows]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=SEPARATORS[form], quoting=quoting, lineterminator=end)  # type: ignore[arg-type]  # a constant
    # What begins with a blank and a quote is quoted by Python only if it has to be.
    rows = [[value.strip() for value in row] for row in rows]
    writer.writerows([1, 2, number, *row] for number, row in enumerate(rows))
    header = f"{FIVE},More(Edm.String)"
    loaded = load(HEAD + f"{with_separator(header, form)}\n{out.getvalue()}".encode(), form)
    assert loaded.failures == []
    assert [[entity[name] or "" for name in ("Name", "Note", "More")] for entity in loaded.entities] == rows
