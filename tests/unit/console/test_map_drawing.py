"""What the map draws: outline, lines, circles."""

import math
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.console.map_drawing import HEIGHT, WIDTH, draw_lines, draw_marks, draw_outlines, shorten
from proxy.operations.entity_clusters import Cluster, EntityMap
from proxy.operations.map_viewports import MAX_ZOOM, Viewport

viewports = st.builds(Viewport.at, st.floats(-90, 90), st.floats(-180, 180), st.integers(0, MAX_ZOOM))


def test_numbers_are_short() -> None:
    numbers = [1, 999, 1_000, 1_249, 9_949, 9_950, 99_499, 999_499, 999_500, 1_000_000, 12_345_678]
    assert list(map(shorten, numbers)) == [
        "1", "999", "1.0k", "1.2k", "9.9k", "10k", "99k", "999k", "1.0M", "1.0M", "12M",
    ]  # fmt: skip


@given(viewports)
def test_some_lines_with_different_labels_are_on_every_map(shown: Viewport) -> None:
    lines = draw_lines(shown)
    assert 3 <= len(lines) <= 25
    assert len({each.text for each in lines if each.x1 == each.x2}) >= 2
    for each in lines:
        assert -0.01 <= each.x1 <= each.x2 <= WIDTH + 0.01
        assert -0.01 <= each.y1 <= each.y2 <= HEIGHT + 0.01


def test_labels_name_the_side() -> None:
    texts = {each.text for each in draw_lines(Viewport.at(0, 180, 2))}
    assert {"180°", "160° E", "160° W", "0°", "20° N", "20° S"} <= texts


@given(viewports)
def test_the_outline_covers_the_map_or_is_left_out_where_it_is_too_coarse(shown: Viewport) -> None:
    outlines = draw_outlines(shown)
    if shown.width < 3:
        assert outlines == ()
        return
    scale = WIDTH / shown.width
    turns = sorted(float(re.findall(r"-?[\d.]+", each)[1]) for each in outlines)
    assert (turns[0] - 180) * scale <= 0.01
    assert (turns[-1] + 180) * scale >= WIDTH - 0.01


@given(viewports, st.integers(2, 10**7), st.floats(0, 1), st.floats(0, 1))
def test_the_circle_of_a_cluster_stays_in_its_cell(shown: Viewport, count: int, x: float, y: float) -> None:
    side = shown.width / 12
    cluster = Cluster(
        count, 3, 2, shown.north - (2 + y) * side, shown.west + (3 + x) * side, -1.0, -1.0, 1.0, 1.0
    )  # fmt: skip
    (mark,) = draw_marks(EntityMap(shown, (cluster,), count, 0), lambda _: "?")
    assert mark.x - mark.radius >= 240
    assert mark.x + mark.radius <= 320
    assert mark.y - mark.radius >= 160
    assert mark.y + mark.radius <= 240
    assert mark.label.startswith(f"{count:,} entities")


def test_the_outline_of_the_world_goes_nowhere_from_side_to_side() -> None:
    text = files("proxy.console").joinpath("static/world.svg").read_text()
    for ring in re.findall(r"M([^M\"]*)", text):
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", ring)]
        steps = numbers[2::2]
        assert all(abs(step) < 180 for step in steps)
        assert all(math.isfinite(each) for each in numbers)


@pytest.mark.parametrize("zoom", [0, 5, MAX_ZOOM])
def test_one_entity_is_a_dot_at_its_place(zoom: int) -> None:
    shown = Viewport.at(10, 20, zoom)
    alone = Cluster(1, 6, 3, 10, 20, 10, 20, 10, 20, id="<b>")
    (mark,) = draw_marks(EntityMap(shown, (alone,), 1, 0), lambda each: f"?entity={each.id}")
    assert (mark.text, mark.label, mark.url) == ("", "Entity <b>: show it", "?entity=<b>")
    assert (mark.x, mark.y) == pytest.approx((480, 240), abs=60)
