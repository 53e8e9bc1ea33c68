"""Whatever a request says, it becomes a query or is refused by 400; and the query's answer reads back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from proxy.query.errors import QueryError
from proxy.query.filter_parser import MAX_DEPTH
from tests.unit.query.sources import NotFoundError, Source, load_sources, read_vectors

PIECES = sorted(
    {
        piece
        for vector in read_vectors()
        for pair in str(vector["request"]).partition("?")[2].split("&")
        for piece in (pair, pair.partition("=")[2])
        if piece
    }
)
NAMES = (
    "$filter",
    "$select",
    "$orderby",
    "$top",
    "$skip",
    "$inlinecount",
    "$format",
    "jsonp",
    "jsonso",
    "spatialFilter",
)
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&+%"), max_size=20),
    st.sampled_from([piece.partition("=")[2] for piece in PIECES]),
    st.tuples(st.sampled_from(PIECES), st.integers(0, 40), st.integers(0, 40)).map(
        lambda cut: cut[0].partition("=")[2][cut[1] :] + cut[0][: cut[2]]
    ),
)
PARAMETERS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.tuples(st.sampled_from(NAMES), VALUES).map("=".join)), max_size=5
)
SEGMENTS = st.sampled_from(["FourthCoffeeShops", "Areas", "Areas('A')", "Areas(B)", "FourthCoffeeShops('-661')"])


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    return load_sources(tmp_path_factory.mktemp("sources"))


@given(segment=SEGMENTS, parameters=PARAMETERS)
def test_any_request_is_answered_or_refused(sources: dict[str, Source], segment: str, parameters: list[str]) -> None:
    source = sources[segment.partition("(")[0].lower()]
    try:
        body = source.answer(f"{segment}?{'&'.join(parameters)}")
    except (QueryError, NotFoundError):
        return
    if body.startswith(b"<"):
        etree.fromstring(body)
    elif body.startswith(b"{"):
        assert set(json.loads(body)) == {"d"}
    else:
        assert body.endswith(b")")


def test_the_deepest_filter_is_answered_within_pythons_stack(sources: dict[str, Source]) -> None:
    text = "Population ge 0"
    for _ in range(MAX_DEPTH):
        text = f"(Population lt 0 or Population ge 0 and {text})"
    body = sources["areas"].answer(f"Areas?$filter={text}&$inlinecount=allpages&$format=json")
    assert json.loads(body)["d"]["__count"] == 9
