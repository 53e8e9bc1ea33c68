"""A data source is seen on the map, and changed, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.support.console_browser import Tab
from tests.support.console_stage import ConsoleStage, follow_job
from tests.support.worker_desk import LOCATION, shops

pytestmark = pytest.mark.slow

NAME = "Mapped"
MOST_CLICKS = 20
FEW, MANY = 3, 16


def halving(count: int) -> bytes:
    """Entities, each half as far from Seattle as the one before."""
    lines = [f"Bing Spatial Data Services, 1.0, {NAME}", f"Id(Edm.String,primaryKey),{LOCATION}"]
    lines += [f"shop {at},{47.6 + 30 / 2**at:.6f},{-122.3 + 60 / 2**at:.6f}" for at in range(count)]
    return "\n".join(lines).encode()


def test_a_data_source_is_seen_on_the_map_and_set_back(stage: ConsoleStage, tab: Tab) -> None:
    page = tab.page
    page.clock.install()
    stage.load(halving(FEW), NAME)
    stage.load(halving(MANY), NAME)
    tab.open(stage.source_url(NAME))
    page.get_by_role("link", name="Map", exact=True).click()
    on_map = page.get_by_role("group", name="Map of")
    expect(on_map).to_have_accessible_name(f"Map of {MANY} entities")
    page.evaluate("window.isSamePage = true")
    clicks = 0
    while (cluster := on_map.locator(".cluster").first).count():
        before = page.url
        cluster.click()
        expect(page).not_to_have_url(before)
        expect(page.locator(".htmx-request")).to_have_count(0)
        clicks += 1
        assert clicks <= MOST_CLICKS
    assert clicks > 1
    last = f"Entity shop {MANY - 1}"
    on_map.get_by_role("link", name=last).click()
    expect(page.get_by_role("heading", name=last)).to_be_visible()
    expect(page.get_by_role("region", name="Properties")).to_contain_text("47.60")
    assert page.evaluate("window.isSamePage"), "the page was loaded anew"
    page.go_back()
    expect(page.get_by_role("heading", name="Entity shop")).to_have_count(0)

    page.get_by_label("Form").select_option("near a place")
    for label, value in {"Latitude": "47.6", "Longitude": "-122.3", "Distance, km": "100"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Show on the map").click()
    expect(on_map.locator("path.query")).to_be_visible()
    expect(page.get_by_text("are in the area.")).to_contain_text("10 are in the area.")

    page.get_by_role("link", name="Versions").click()
    assert _entities(tab) == {"published": str(MANY), "earlier": str(FEW)}
    page.get_by_role("link", name="Roll back", exact=True).click()
    expect(page.locator(".facts")).to_contain_text(f"Published then\n{FEW} entities", use_inner_text=True)
    page.get_by_role("button", name="Roll back").click()
    follow_job(tab)
    page.locator("#source").click()
    assert _entities(tab) == {"published": str(FEW), "earlier": str(MANY)}
    page.get_by_role("link", name="Map", exact=True).click()
    expect(on_map).to_have_accessible_name(f"Map of {FEW} entities")


def test_a_data_source_is_made_public_and_deleted_by_its_name(stage: ConsoleStage, tab: Tab) -> None:
    page, name = tab.page, "Doomed"
    page.clock.install()
    stage.load(shops("a"), name)
    tab.open(stage.source_url(name))
    expect(page.locator(".facts")).to_contain_text("private")
    page.get_by_role("link", name="Make public").click()
    page.get_by_role("button", name="Make public").click()
    follow_job(tab)
    page.locator("#source").click()
    expect(page.locator(".facts")).to_contain_text("public: every key of the account")

    page.get_by_role("link", name="Delete the data source").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_label(f"Type {name}")).to_be_focused()  # without a name, the form is not sent
    page.get_by_label(f"Type {name}").fill(name.lower())
    tab.expected = f"{stage.source_url(name)}/delete"
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing is deleted")
    page.go_back()
    page.get_by_label(f"Type {name}").fill(name)
    page.get_by_role("button", name="Delete").click()
    follow_job(tab)
    tab.open(stage.source_url(name), 404)


def _entities(tab: Tab) -> dict[str, str]:
    """The states of the versions, and how many entities each has."""
    rows = tab.page.get_by_role("region", name="Versions").get_by_role("row").all()[1:]
    cells = [row.get_by_role("cell").all_inner_texts() for row in rows]
    return {state: entities for state, _, entities, *_ in cells}
