"""Whatever comes as a `spatialFilter` is answered or refused, in bounded time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.query.areas import Area, Intersects
from proxy.query.errors import QueryError
from tests.support.processor_time import ends_within
from tests.unit.query.samples import requested


def area(text: str) -> Area | None:
    return requested(spatialFilter=text).area


@pytest.mark.parametrize("name", ["nearby", "bbox", "intersects", "nearRoute", "x"])
@given(text=st.text(alphabet="0123456789.,-+e'() POLYGNabc\0\u00e9", max_size=40))
def test_any_arguments_are_answered_or_refused(name: str, text: str) -> None:
    refused = ""
    try:
        area(f"{name}({text}")
    except QueryError as error:
        refused = str(error)
    assert not refused or refused.isprintable()


SHAPE_WORDS = st.sampled_from(
    [
        *(
            "POINT",
            "LINESTRING",
            "POLYGON",
            "MULTIPOINT",
            "MULTIPOLYGON",
            "GEOMETRYCOLLECTION",
            "LINEARRING",
            "TRIANGLE",
        ),
        *(" Z", " M ", "(", "((", "(((", ")", "))", ")))", ",", "EMPTY", "NULL", "0 0", "1 0", "1 1 5", "-180 90"),
        *("1e300 1", "1e-320 0", "0 0,4 4,4 0,0 4,0 0", "0 0,9 0,9 9,0 0", "5 5,0 5,"),
    ]
)


@given(words=st.lists(SHAPE_WORDS, max_size=12))
def test_any_shape_is_answered_or_refused(words: list[str]) -> None:
    refused = ""
    try:
        area(f"intersects('{''.join(words)}')")
    except QueryError as error:
        refused = str(error)
    assert not refused or refused.isprintable()


@pytest.mark.parametrize("kind", ["POLYGON(({}))", "MULTIPOLYGON((({})))", "LINESTRING({})"])
@given(
    numbers=st.lists(
        st.tuples(st.sampled_from(["0", "4", "1.5", "-180", "1e300", "1e-320"]), st.sampled_from("0459")), min_size=2
    )
)
def test_any_ring_is_made_valid_or_refused(kind: str, numbers: list[tuple[str, str]]) -> None:
    places = ",".join(" ".join(number) for number in [*numbers, numbers[0]])
    try:
        found = area(f"intersects('{kind.format(places)}')")
    except QueryError:
        return
    assert isinstance(found, Intersects)
    assert found.shape.is_valid


def test_a_ring_that_stays_invalid_is_refused() -> None:
    with pytest.raises(QueryError, match="can't be repaired"):
        area("intersects('POLYGON((4 0,0 4,1e300 5,0 5,1e300 0,4 5,1e300 0,4 0))')")


def star(points: int) -> str:
    """A ring of sides that cross all others."""
    corners = [(number * 7_919 % points, number * 104_729 % 89) for number in range(points)]
    return ",".join(f"{x} {y}" for x, y in [*corners, corners[0]])


@pytest.mark.parametrize(
    "text",
    [
        "nearby(" + "," * 100_000,
        "nearby(" + "'" * 100_000,
        "nearby(" + "('" * 50_000,
        "nearby" + " " * 100_000,
        "bbox(" + "1," * 50_000 + "1)",
        "intersects(" + "(" * 100_000,
        "intersects('" + "POLYGON(" * 12_000 + "')",
        "intersects('POLYGON((" + star(300) + "))')",
        "intersects('POLYGON((" + star(8_000) + "))')",
        "intersects('POLYGON((" + "0 0," * 25_000 + "0 0))')",
        "intersects('LINESTRING(" + "0 0," * 25_000 + "1 1)')",
    ],
)
def test_a_hostile_area_is_answered_or_refused_in_time(text: str) -> None:
    def answer() -> None:
        try:
            area(text)
        except QueryError as error:
            assert len(str(error)) < 500  # noqa: PT017 - either is right

    assert ends_within(2, answer)
