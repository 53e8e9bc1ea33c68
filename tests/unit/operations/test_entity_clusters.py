"""Clusters of entities on a map, and what the map shows."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.operations.entity_clusters import COLUMNS, EntityMap, map_entities
from proxy.operations.map_viewports import MAX_ZOOM, Viewport
from tests.unit.query.engine.versions import PLAIN_TYPE, make_version


def find(
    folder: Path, places: Sequence[tuple[float | None, float | None]], viewport: Viewport | None = None
) -> EntityMap:
    """The map of entities at these latitudes and longitudes, with the ids `0`, `1` and so on."""
    rows = [{"Id": f"{at}", "latitude": lat, "Longitude": lon} for at, (lat, lon) in enumerate(places)]
    return map_entities(viewport)(make_version(folder, rows, PLAIN_TYPE))


def test_entities_of_one_cell_are_a_cluster_and_one_alone_has_its_id(tmp_path: Path) -> None:
    found = find(tmp_path, [(10.0, 10.0), (11.0, 12.0), (-40.0, -100.0)], Viewport())
    assert [(each.count, each.latitude, each.longitude, each.id) for each in found.clusters] == [
        (2, 10.5, 11.0, None),
        (1, -40.0, -100.0, "2"),
    ]
    assert (found.shown, found.total, found.unplaced) == (3, 3, 0)


def test_no_entities_are_an_empty_map_of_the_world(tmp_path: Path) -> None:
    found = find(tmp_path, [])
    assert (found.clusters, found.viewport, found.total) == ((), Viewport(), 0)


def test_one_entity_is_shown_close(tmp_path: Path) -> None:
    found = find(tmp_path, [(47.6, -122.3)])
    assert [each.id for each in found.clusters] == ["0"]
    assert 0.01 < found.viewport.width < 0.1


@pytest.mark.parametrize("nowhere", [(None, 1.0), (1.0, None), (91.0, 0.0), (0.0, 1e300), (float("nan"), 0.0)])
def test_entities_without_coordinates_are_counted(tmp_path: Path, nowhere: tuple[float | None, float | None]) -> None:
    found = find(tmp_path, [nowhere, (1.0, 2.0)])
    assert (found.shown, found.unplaced, found.total) == (1, 1, 2)
    assert found.viewport.latitude == 1.0
    assert find(tmp_path, [nowhere]).clusters == ()


def test_entities_on_both_sides_of_the_antimeridian_are_close_together(tmp_path: Path) -> None:
    found = find(tmp_path, [(-17.0, 179.0), (-17.5, -179.0), (-18.0, 180.0), (-18.0, -180.0)])
    assert found.viewport.width < 10
    assert abs(abs(found.viewport.longitude) - 180) < 1
    assert found.shown == 4
    assert all(found.viewport.west <= each.longitude <= found.viewport.west + 10 for each in found.clusters)


def test_the_poles_are_on_the_map_of_the_world(tmp_path: Path) -> None:
    found = find(tmp_path, [(90.0, 0.0), (-90.0, 180.0), (90.0, -180.0)])
    assert (found.shown, found.viewport.zoom, found.viewport.north) == (3, 0, 90.0)
    assert {each.row for each in found.clusters} == {0, 5}


def test_a_cluster_leads_closer_until_its_entities_are_alone(tmp_path: Path) -> None:
    places = [(47.6, -122.3), (47.6001, -122.3), (48.0, -121.0)]
    found = find(tmp_path, places, Viewport())
    for _ in range(MAX_ZOOM):
        cluster = max(found.clusters, key=lambda each: each.count)
        if cluster.id is not None:
            break
        closer = cluster.closer(found.viewport)
        assert closer is not None
        assert closer.zoom > found.viewport.zoom
        found = find(tmp_path, places, closer)
    assert {each.count for each in found.clusters} == {1}


def test_entities_of_one_place_lead_no_closer(tmp_path: Path) -> None:
    (cluster,) = find(tmp_path, [(47.6, -122.3)] * 3, Viewport()).clusters
    assert cluster.closer(Viewport()) is None
    (cluster,) = find(tmp_path, [(0.000001, 0.000001), (0.000002, 0.000002)], Viewport.at(0, 0, MAX_ZOOM)).clusters
    assert cluster.closer(Viewport.at(0, 0, MAX_ZOOM)) is None


viewports = st.builds(Viewport.at, st.floats(-90, 90), st.floats(-180, 180), st.integers(0, MAX_ZOOM))


@given(viewports, st.integers(0, 2**32 - 1))
def test_clusters_hold_each_entity_that_is_shown_once(
    tmp_path_factory: pytest.TempPathFactory, shown: Viewport, seed: int
) -> None:
    random = np.random.default_rng(seed)
    near = random.normal([shown.latitude, shown.longitude], [shown.height, shown.width], (60, 2))
    places = [(lat, (lon + 180) % 360 - 180) for lat, lon in near.tolist() if abs(lat) <= 90]
    found = find(tmp_path_factory.mktemp("map"), places, shown)
    side = shown.width / COLUMNS
    cells: Counter[tuple[int, int]] = Counter()
    for lat, lon in places:
        right, down = (lon - shown.west) % 360, shown.north - lat
        if right <= shown.width and 0 <= down <= shown.height:
            cells[min(int(down / side), 5), min(int(right / side), 11)] += 1
    assert {(each.row, each.column): each.count for each in found.clusters} == cells
    for each in found.clusters:
        assert each.south <= each.latitude + 1e-9
        assert each.latitude <= each.north + 1e-9
        assert each.west <= each.longitude + 1e-9
        assert each.longitude <= each.east + 1e-9


@given(viewports)
def test_a_viewport_is_read_as_it_is_written(shown: Viewport) -> None:
    read = Viewport.parse(str(shown))
    assert read is not None
    assert read.zoom == shown.zoom
    assert abs(read.latitude - shown.latitude) <= 1e-5
    turn = abs(read.longitude - shown.longitude)
    assert min(turn, 360 - turn) <= 1e-4


@pytest.mark.parametrize("text", ["", "1,2", "a,b,c", "nan,0,1", "0,inf,1", "1,2,3.5", "1;2;3", "1,2," + "9" * 5000])
def test_what_is_no_viewport_is_none(text: str) -> None:
    assert Viewport.parse(text) is None


@pytest.mark.parametrize(
    ("text", "shown"), [("99,190,0", "0,-170,0"), ("-99,0,99", "-89.99991,0,20"), ("0,1e308,-5", None)]
)
def test_viewports_stay_on_the_map(text: str, shown: str | None) -> None:
    found = Viewport.parse(text)
    assert found is not None
    assert shown is None or str(found) == shown
    assert found.north <= 90
    assert found.north - found.height >= -90


@given(viewports)
def test_moves_stay_on_the_map_and_come_back(shown: Viewport) -> None:
    assert shown.zoom_by(-30).zoom == 0
    assert shown.zoom_by(30).zoom == MAX_ZOOM
    assert shown.move(0, 2**21).north == 90
    there = shown.move(0.5, 0)
    assert there.move(-0.5, 0).longitude == pytest.approx(shown.longitude, abs=1e-9) or abs(shown.longitude) > 179


def test_a_box_is_shown_whole() -> None:
    for box in [(-90.0, -180.0, 90.0, 180.0), (10.0, 170.0, 12.0, 190.0), (1.0, 1.0, 1.0, 1.0), (80.0, 0.0, 90.0, 1.0)]:
        south, west, north, east = box
        shown = Viewport.around(*box)
        assert shown.north - shown.height <= south
        assert north <= shown.north
        assert (west - shown.west) % 360 <= shown.width - (east - west) + 1e-9
