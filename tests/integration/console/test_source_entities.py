"""The entities of a data source: a page of them, one, and CSV."""

import csv
import io
from urllib.parse import quote

import pytest
from lxml import html

from tests.support.console import LiveConsole
from tests.support.queries import AREAS, SHOPS, load, load_samples, stores
from tests.support.source_pages import assert_small, base, links, load_versions, problem, table
from tests.support.storage import Storage

MARKUP = "<script>alert(1)</script>&\"'"


@pytest.fixture
def counted(storage: Storage) -> str:
    """The path of the entities of a data source with 120 of them."""
    load(storage, stores(count=120), "Shops")
    return f"{base(storage)}/entities"


def ids(page: html.HtmlElement) -> list[str]:
    """The ids of the page's entities."""
    return [row[0] for row in table(page, "Entities")]


def test_entities_are_on_pages_of_fifty(console: LiveConsole, counted: str) -> None:
    page = console.page(counted)
    found, pages = ids(page), 1
    assert "120 entities" in page.text_content()
    while after := links(page, "Next"):
        page = console.page(after[0])
        found, pages = found + ids(page), pages + 1
    assert (found, pages) == ([f"s{at:06d}" for at in range(120)], 3)
    assert links(page, "Previous")
    assert "There is no entity from number 501 on." in console.text(f"{counted}?skip=500")
    assert "No entity fits." in console.text(f"{counted}?$filter=Seats lt 0")


def test_a_filter_an_order_and_chosen_properties_hold_on_each_page(console: LiveConsole, counted: str) -> None:
    page = console.page(f"{counted}?$filter=Seats ge 20&$orderby=Seats desc&$select=Seats,Note")
    assert ids(page)[0] == "s000119"
    assert table(page, "Entities")[0] == ["s000119", "119", ""]
    (after,) = links(page, "Next")
    page = console.page(after)
    assert table(page, "Entities")[-1] == ["s000020", "20", ""]
    assert {str(each.get("name")): each.get("value") for each in page.xpath("//main//form//input")} == {
        "$filter": "Seats ge 20",
        "$orderby": "Seats desc",
        "$select": "Seats,Note",
        "spatialFilter": "",
    }


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("$filter=Nope eq 1", "The parameter $filter names 'Nope', which is no property of Stores."),
        ("$filter=Seats eq '<b>'", "The parameter $filter compares Seats with '<b>'."),
        ("$filter=(((", "The parameter $filter"),
        ("$orderby=Seats sideways", "The parameter $orderby"),
        ("$select=Nope", "The parameter $select names 'Nope'"),
        (f"$filter={quote('é' * 5000)}", "The parameter $filter"),
    ],
)
def test_a_wrong_parameter_is_a_sentence_beside_the_form(
    console: LiveConsole, counted: str, query: str, sentence: str
) -> None:
    page = console.page(f"{counted}?{query}")
    assert problem(page).startswith(sentence)
    assert page.xpath("//form//input[@name='$filter']")
    wrong = console.get(counted.replace("entities", "entities.csv") + f"?{query}")
    assert (wrong.status_code, wrong.headers["content-type"]) == (409, "text/html; charset=utf-8")


def test_each_version_can_be_chosen(storage: Storage, console: LiveConsole) -> None:
    earlier, published, staged = load_versions(storage)
    path = f"{base(storage)}/entities"
    assert ids(console.page(path)) == ids(console.page(f"{path}?version={published}")) == ["b", "c", "d"]
    assert ids(console.page(f"{path}?version={earlier}")) == ["a"]
    page = console.page(f"{path}?version={staged}")
    assert ids(page) == ["e"]
    assert links(page, "e") == [f"{base(storage)}/entity?version={staged}&id=e"]
    assert links(page, "Map") == [f"{base(storage)}/map?version={staged}"]
    options = page.xpath("//select[@name='version']/option")
    assert [each.get("value") for each in options] == ["", staged, earlier]
    assert [each.get("value") for each in options if each.get("selected") is not None] == [staged]


def test_one_entity_is_shown_with_all_its_properties(storage: Storage, console: LiveConsole) -> None:
    load_samples(storage)
    page = console.page(f"{base(storage, AREAS)}/entity?id=a")
    shown = dict(table(page, "Properties"))
    assert (shown["EntityID"], shown["Rate"]) == ("A", "none")
    assert shown["Boundary"].startswith("POLYGON ((9.86445 57.13876")
    assert links(page, "Show it on the map") == [f"{base(storage, AREAS)}/map?entity=a"]
    gone = console.get(f"{base(storage, AREAS)}/entity?id=%3Cb%3E")
    assert (gone.status_code, "<b>" in gone.text) == (404, False)


def test_more_properties_than_a_page_has_room_for_are_named(storage: Storage, console: LiveConsole) -> None:
    load_samples(storage)
    page = console.page(f"{base(storage, SHOPS)}/entities")
    assert len(table(page, "Entities")[0]) == 9
    assert "15 more properties" in page.text_content()


def test_csv_has_all_that_the_filter_finds(console: LiveConsole, counted: str) -> None:
    page = console.page(f"{counted}?$filter=Seats ge 60&$orderby=Seats desc&skip=50")
    (link,) = links(page, "Download as CSV")
    response = console.get(link)
    lines = list(csv.reader(io.StringIO(response.text, newline="")))
    assert lines[0] == ["Id", "Note", "Seats", "Latitude", "Longitude"]
    assert [line[2] for line in lines[1:]] == [str(at) for at in range(119, 59, -1)]
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''Shops.csv"


def test_formulas_are_texts_in_csv_and_numbers_stay(storage: Storage, console: LiveConsole) -> None:
    load(storage, stores("-1", "=A1", "@x", note="+1"), "Shops")
    text = console.get(f"{base(storage)}/entities.csv?$orderby=Seats").text
    assert [line.split(",")[:2] for line in text.splitlines()[1:]] == [["'-1", "'+1"], ["'=A1", "'+1"], ["'@x", "'+1"]]
    assert ",-85.000000,-175.000000" in text


def test_hostile_entities_are_text_and_pages_stay_small(storage: Storage, console: LiveConsole) -> None:
    names = [f"P{at:03d}" for at in range(200)]
    head = "Bing Spatial Data Services, 1.0, Hostile\n" + "|".join(
        ["Id(Edm.String,primaryKey)", *(f"{name}(Edm.String)" for name in names), "Big(Edm.Int64)", "Huge(Edm.Double)",
         "Day(Edm.DateTime)", "Shape(Edm.Geography)", "Latitude(Edm.Double)", "Longitude(Edm.Double)"]
    )  # fmt: skip
    shape = "LINESTRING (" + ", ".join(f"{at % 90}.123456 {at % 80}.123456" for at in range(4000)) + ")"
    rest = f"-9223372036854775808|1.7e308|9999-12-31T23:59:59|{shape}|-90|180"
    long = (MARKUP * 100)[:2560]
    lines = [
        f"id<b>{at:02d}{'&' * 40}|" + "|".join([*[long] * 20, *[long if at < 5 else ""] * 180]) + f"|{rest}"
        for at in range(60)
    ]
    load(storage, "\n".join([head, *lines]).encode(), "Shops")
    first = quote(f"id<b>00{'&' * 40}", safe="")
    chosen = ",".join([*names[:16], "Big", "Huge", "Day", "Shape", *names])
    paths = ["/entities", f"/entities?$select={chosen}", "/entities?$filter=" + quote(MARKUP), f"/entity?id={first}",
             "/map", f"/map?entity={first}", "/query?$format=json", "/query?$format=atom", ""]  # fmt: skip
    for path in paths:
        text = assert_small(console, base(storage) + path)
        assert "<script>alert" not in text
        assert "id<b>" not in text
    shown = dict(table(console.page(f"{base(storage)}/entity?id={first}"), "Properties"))
    assert shown["P000"].startswith(MARKUP)
    assert shown["P000"].endswith("(cut: 2,560 characters)")
    assert (shown["Big"], shown["Huge"], shown["Day"]) == ("-9223372036854775808", "1.7E+308", "9999-12-31T23:59:59")
    assert "(cut: " in shown["Shape"]
    cells = console.page(f"{base(storage)}/entities?$select=Big,P001,Shape").xpath("//td")
    assert any("(cut: " in cell.text_content() for cell in cells)
    assert len(console.get(f"{base(storage)}/entities.csv?$select=Id,P001").content) > 60 * 2560
