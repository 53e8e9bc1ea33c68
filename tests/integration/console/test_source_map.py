"""The map of a data source's entities."""

import re
from urllib.parse import quote

import pytest
from lxml import html

from tests.support.console import LiveConsole
from tests.support.queries import AREAS, SHOPS, load, load_samples, stores
from tests.support.source_pages import assert_small, base, links, load_versions, problem, table
from tests.support.storage import Storage

SVG = "//*[local-name()='svg']"
MARKS = f"{SVG}//*[local-name()='a']"


def placed(*places: tuple[str, float, float]) -> bytes:
    """Data: ids with their latitudes and longitudes."""
    head = (
        "Bing Spatial Data Services, 1.0, Places\nId(Edm.String,primaryKey)|Latitude(Edm.Double)|Longitude(Edm.Double)"
    )
    return "\n".join([head, *(f"{id_}|{latitude}|{longitude}" for id_, latitude, longitude in places)]).encode()


def counts(page: html.HtmlElement) -> list[int]:
    """The numbers of entities in the clusters, by their labels; 1 for one that is alone."""
    labels = [str(each.get("aria-label")) for each in page.xpath(MARKS)]
    return [int(label.split()[0].replace(",", "")) if label[0].isdigit() else 1 for label in labels]


def area_path(page: html.HtmlElement) -> str:
    """The data of the drawn area."""
    return "".join(page.xpath("//*[@class='query']/@d"))


@pytest.fixture
def samples(storage: Storage) -> str:
    """The path of the map of the contract's coffee shops."""
    load_samples(storage)
    return f"{base(storage, SHOPS)}/map"


def test_a_map_leads_by_its_links_to_each_entity(console: LiveConsole, samples: str) -> None:
    """Without scripts: from the map of all, through clusters, to the entities of each place."""
    seen, found, waiting = set[str](), set[str](), [samples]
    while waiting:
        path = waiting.pop()
        page = console.page(path)
        for link in page.xpath(f"{MARKS}/@href"):
            to = f"{samples}{link}" if link.startswith("?") else link
            entity = re.search(r"entity=([^&]+)", to)
            if entity is not None:
                found.add(entity[1])
            elif to not in seen:
                seen.add(to)
                waiting.append(to)
    assert len(found) == 23
    shown = console.page(f"{samples}?entity={min(found)}")
    assert dict(table(shown, "Properties"))["EntityID"] == min(found)
    assert shown.xpath("//*[@class='spot']")


def test_the_links_move_the_map(console: LiveConsole, samples: str) -> None:
    page = console.page(f"{samples}?at=40,-74,6")
    words = ["All", "Zoom in", "Zoom out", "North", "South", "West", "East"]
    assert [links(page, word) for word in words] == [
        ["?"], ["?at=40,-74,7"], ["?at=40,-74,5"], ["?at=41.40625,-74,6"], ["?at=38.59375,-74,6"],
        ["?at=40,-76.8125,6"], ["?at=40,-71.1875,6"],
    ]  # fmt: skip
    assert all(each.get("hx-get") == each.get("href") for each in page.xpath("//nav[@class='moves']//a"))
    (swapped,) = page.xpath("//*[@id='map']")
    assert (swapped.get("hx-target"), swapped.get("hx-select")) == ("#map", "#map")
    world = console.page(f"{samples}?at=0,0,0")
    assert [links(world, word) for word in ("Zoom out", "North", "South")] == [[], [], []]


def test_the_table_says_the_same_as_the_map(console: LiveConsole, samples: str) -> None:
    page = console.page(samples)
    rows = table(page, "Clusters")
    assert sum(int(row[0]) for row in rows) == sum(counts(page)) == 23
    assert "23 of 23 entities are on the map." in page.text_content()
    assert [
        row.xpath("string(.//a/@href)") for row in page.xpath("//div[@aria-label='Clusters']//tbody/tr")
    ] == page.xpath(f"{MARKS}/@href")
    assert all(page.xpath(f"{MARKS}/@aria-label"))


@pytest.mark.parametrize("query", [
    "area=nearby&latitude=27.9&longitude=-82.7&km=10",
    "area=bbox&south=27.8&west=-82.8&north=28&east=-82.6",
    "area=intersects&shape=POLYGON((-82.8 27.8,-82.6 27.8,-82.6 28,-82.8 28,-82.8 27.8))",
    "spatialFilter=bbox(27.8,-82.8,28,-82.6)",
])  # fmt: skip
def test_the_area_of_a_query_is_drawn_and_its_entities_are_counted(
    console: LiveConsole, samples: str, query: str
) -> None:
    page = console.page(f"{samples}?{query}")
    assert area_path(page).startswith("M")
    assert re.search(r"\b(8|9) are in the area", " ".join(page.text_content().split()))
    assert sum(counts(page)) == 9
    closer = console.page(samples + links(page, "Zoom in")[0])
    assert area_path(closer)
    (to_query,) = links(page, "Query the entities of this area")
    assert len(console.page(f"{to_query}&$format=json").xpath("//pre")) == 2


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("area=nearby&latitude=91&longitude=0&km=1", "The parameter spatialFilter has '91'"),
        ("area=nearby&latitude=&longitude=&km=", "The parameter spatialFilter"),
        ("area=nearby&latitude='Berlin'&longitude=5&km=", "The parameter spatialFilter"),
        ("area=bbox&south=5&west=0&north=1&east=1", "The parameter spatialFilter"),
        ("area=intersects&shape=POLYGON((0 0", "The parameter spatialFilter"),
        ("area=other&spatialFilter=%3Cb%3E", "The parameter spatialFilter has '<b>'"),
        ("spatialFilter=nearby('Berlin',5)", "The area has an address or a route, which a map service would look up"),
        ("spatialFilter=nearRoute('1,2','3,4')", "The area has an address or a route"),
    ],
)
def test_an_area_that_is_wrong_or_billed_is_a_sentence_and_the_map_stays(
    console: LiveConsole, samples: str, query: str, sentence: str
) -> None:
    page = console.page(f"{samples}?{query}")
    assert problem(page).startswith(sentence)
    assert sum(counts(page)) == 23
    assert not area_path(page)


@pytest.mark.parametrize("at", ["x", "1,2", "nan,nan,1", "1e999,0,3", "0,0,99999999999999999999999", "%00,<b>,3"])
def test_a_place_that_is_none_is_the_map_of_all_or_the_nearest(console: LiveConsole, samples: str, at: str) -> None:
    assert console.page(f"{samples}?at={at}").xpath(SVG)


def test_an_area_that_is_too_long_is_drawn_and_left_out_of_links(console: LiveConsole, samples: str) -> None:
    points = ",".join(f"{-100 + at / 10:.1f} {20 + at % 2}" for at in range(400))
    query = f"area=intersects&shape={quote(f'LINESTRING({points})')}"
    text = assert_small(console, f"{samples}?{query}&at=25,-80,3")
    assert "too long for the links of the map" in text
    assert 'class="query"' in text
    assert "LINESTRING" not in text.partition("<form")[0]


def test_entities_across_the_antimeridian_are_one_map(storage: Storage, console: LiveConsole) -> None:
    load(storage, placed(("east", -17, 179), ("west", -17.5, -179), ("on", -18, 180)), "Shops")
    page = console.page(f"{base(storage)}/map")
    assert sum(counts(page)) == 3
    further = console.page(f"{base(storage)}/map?at=-17,180,3")
    assert len(further.xpath(f"{SVG}//*[local-name()='use']")) == 2
    crossing = console.page(f"{base(storage)}/map?area=bbox&south=-20&west=178&north=-10&east=-178")
    assert "3 are in the area" in " ".join(crossing.text_content().split())


def test_no_one_and_the_same_place(storage: Storage, console: LiveConsole) -> None:
    load(storage, placed(("a", 47.6, -122.3)), "One")
    page = console.page(f"{base(storage, 'One')}/map")
    assert page.xpath(f"{MARKS}/@aria-label") == ["Entity a: show it"]
    assert "lines of latitude and longitude" in page.text_content()
    assert len(set(page.xpath("//*[@class='lines']//*[local-name()='text']/text()"))) > 4
    load(storage, placed(*((f"e{at:02d}", 52.5, 179.99) for at in range(40))), "Same")
    page = console.page(f"{base(storage, 'Same')}/map")
    assert page.xpath(f"{MARKS}/@aria-label") == ["40 entities: list them"]
    (link,) = page.xpath(f"{MARKS}/@href")
    assert "40 entities" in console.text(link)
    assert console.text(f"{base(storage, 'Same')}/map?at=0,0,9").count("0 of 40 entities are on the map.") == 1


def test_the_poles_and_the_chosen_version(storage: Storage, console: LiveConsole) -> None:
    load(storage, placed(("n", 90, 0), ("s", -90, 10)), "Shops")
    page = console.page(f"{base(storage)}/map?area=nearby&latitude=90&longitude=0&km=1000")
    assert "1 are in the area" in " ".join(page.text_content().split())
    assert area_path(page)
    versions = load_versions(storage)
    page = console.page(f"{base(storage)}/map?version={versions[0]}")
    assert page.xpath(f"{MARKS}/@href")[0].startswith(f"?version={versions[0]}&")


def test_an_entity_that_is_not_there_has_a_sentence_on_the_map(console: LiveConsole, samples: str) -> None:
    page = console.page(f"{samples}?entity=%3Cscript%3E")
    assert problem(page) == "The version has no such entity."


def test_a_map_of_very_many_places_is_small(storage: Storage, console: LiveConsole) -> None:
    load(storage, stores(count=20_000), "Shops")
    text = assert_small(console, f"{base(storage)}/map?area=bbox&south=-10.1234567&west=1&north=20&east=30&at=0,0,0")
    assert "20,000 of 20,000 entities" in text
    page = console.page(f"{base(storage, 'Shops')}/map?at=0,0,0")
    assert sum(counts(page)) == 20_000
    assert len(page.xpath(MARKS)) <= 72


def test_areas_have_their_shapes_on_the_map_of_their_source(storage: Storage, console: LiveConsole) -> None:
    load_samples(storage)
    page = console.page(f"{base(storage, AREAS)}/map?area=intersects&shape=POLYGON((19 -1,31 -1,31 11,19 11,19 -1))")
    assert area_path(page).endswith("z")
