"""The list of jobs stays true while it stays open, and leaves its reader in peace."""

import pytest
from playwright.sync_api import expect

from tests.support.console_browser import Tab
from tests.support.console_stage import ConsoleStage

pytestmark = pytest.mark.slow

WITHIN_MILLISECONDS = 10_000


def test_a_job_appears_in_the_open_list(stage: ConsoleStage, tab: Tab) -> None:
    page, name = tab.page, "Newcomer"
    page.clock.install()
    tab.open(f"{stage.console.url}/jobs")
    page.evaluate("window.isSamePage = true")
    row = page.get_by_role("row").filter(has_text=name)
    text = page.get_by_label("Text or id")
    text.press_sequentially("half of a wo")
    expect(row).to_have_count(0)
    job = stage.storage.job("DataSourceDelete", "Completed", DataSourceName=name)
    page.clock.run_for(WITHIN_MILLISECONDS)
    expect(row).to_have_count(1)
    expect(text).to_be_focused()
    page.keyboard.type("rd")
    expect(text).to_have_value("half of a word")

    link = row.get_by_role("link")
    link.focus()
    stage.storage.job("DataSourceDelete", "Completed", DataSourceName=f"{name} 2")
    page.clock.run_for(WITHIN_MILLISECONDS)
    expect(page.get_by_role("row").filter(has_text=f"{name} 2")).to_have_count(1)
    expect(page.locator(f"[title='{job}']")).to_be_focused()
    assert page.evaluate("window.isSamePage"), "the page was loaded anew"
