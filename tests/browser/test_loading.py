"""Files are looked at before they are loaded, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import check_page
from tests.support.console_browser import Tab
from tests.support.console_stage import ConsoleStage, follow_job
from tests.support.stored_jobs import Written
from tests.support.worker_desk import shops

pytestmark = pytest.mark.slow

LONG_ID = "x" * 51
SOME_WRONG = shops("a", "a", LONG_ID, more="c,new,91,2\nd,new,1")
"""One entity that can be loaded; then, from line 4 on, a double id, an id that is too long, a wrong place, no place."""
ALL_WRONG = shops(LONG_ID, LONG_ID)
RIGHT = shops("north", "south", note="open")


def test_a_file_with_errors_shows_each_with_its_line_and_loads_nothing(stage: ConsoleStage, tab: Tab) -> None:
    page, jobs = tab.page, len(Written(stage.storage).jobs())
    tab.open(f"{stage.console.url}/load")
    _send(page, "Wrong", SOME_WRONG)
    expect(page.get_by_role("status")).to_have_text("1 of 5 entities can be loaded. The load skips the others.")
    lines = page.get_by_role("region", name="Errors and notes").inner_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line 4", "line 5", "line 6", "line 7"]
    assert LONG_ID[:40] in lines[1]
    assert "Latitude is '91'" in lines[2]
    assert "Longitude is missing" in lines[3]
    check_page(tab)

    page.get_by_role("link", name="Choose another file").click()
    expect(page.get_by_label("Data source", exact=True)).to_have_value("Wrong")
    _send(page, "Wrong", ALL_WRONG)
    expect(page.get_by_role("status")).to_contain_text("This file can't be loaded.")
    expect(page.get_by_role("region", name="Errors and notes")).to_contain_text("line 4")
    expect(page.get_by_role("button", name="Load this file")).to_have_count(0)
    check_page(tab)
    assert len(Written(stage.storage).jobs()) == jobs


def test_a_right_file_is_shown_and_loaded_and_its_job_followed(stage: ConsoleStage, tab: Tab) -> None:
    page, name = tab.page, "Loaded"
    page.clock.install()
    tab.open(f"{stage.console.url}/load")
    _send(page, name, RIGHT)
    expect(page.get_by_role("status")).to_have_text("2 of 2 entities can be loaded.")
    rows = page.get_by_role("region", name="First entities").get_by_role("row").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["Id", "Note", "Latitude", "Longitude"],
        ["north", "open", "1", "2"],
        ["south", "open", "1", "2"],
    ]
    schema = page.get_by_role("region", name="Schema").get_by_role("row").all_inner_texts()
    assert schema[1].split() == ["Id", "key", "Edm.String"]
    check_page(tab)

    page.get_by_role("button", name="Load this file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"DataSourceComplete of {name}")
    expect(page.get_by_role("status")).to_contain_text("The job is created.")
    follow_job(tab)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Data sources").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
    expect(row).to_contain_text("private")


def _send(page: Page, name: str, data: bytes) -> None:
    page.get_by_label("Data source", exact=True).fill(name)
    page.get_by_label("Format", exact=True).select_option("csv")
    page.get_by_label("File: ").set_input_files({"name": "shops.csv", "mimeType": "text/csv", "buffer": data})
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Load {name}")
    expect(page.get_by_text("The console reads the file.")).to_have_count(0)
