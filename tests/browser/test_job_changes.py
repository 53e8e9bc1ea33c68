"""A job is tried again and one is ended, by a real worker and in a real browser."""

import pytest
from playwright.sync_api import expect

from adapters.model.jobs import JobType
from tests.browser.conftest import OpenTab
from tests.support.console_browser import Tab
from tests.support.console_stage import ConsoleStage, follow_job
from tests.support.worker_desk import shops

pytestmark = pytest.mark.slow

MOST_TABS = 40


def test_an_aborted_job_is_tried_again_and_its_page_shows_it_complete(stage: ConsoleStage, tab: Tab) -> None:
    page = tab.page
    page.clock.install()
    job = stage.create(JobType.PUBLISH, "Retried")
    stage.wait(job, "Aborted")  # nothing is staged
    stage.load(shops("a"), "Retried", "completeStaging")
    tab.open(stage.job_url(job))
    expect(page.locator(".state .status")).to_have_text("Aborted")
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Try the job again")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status")).to_contain_text("The job is Pending again")
    follow_job(tab)
    expect(page.get_by_role("link", name="Try again")).to_have_count(0)
    assert _audited(stage, tab, job) == [["jobs retry", "Aborted", "Pending"]]


def test_a_pending_job_is_ended_by_keyboard_on_a_phone(stage: ConsoleStage, open_tab: OpenTab) -> None:
    tab = open_tab("narrow", has_touch=True)
    job = stage.create(JobType.PUBLISH, "Ended", is_queued=False)
    tab.open(stage.job_url(job))
    _press(tab, "End the job")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("End the job")
    _press(tab, "End the job")
    expect(tab.page.locator(".state .status")).to_have_text("Aborted")
    expect(tab.page.locator(".job-message")).to_have_text("Ended by the operator.")
    expect(tab.page.get_by_text("Read again every 5 seconds.")).to_have_count(0)
    assert stage.status(job) == "Aborted"
    assert _audited(stage, tab, job) == [["jobs abort", "Pending", "Aborted"]]


def _press(tab: Tab, name: str) -> None:
    """Presses a link or a button by its keys alone."""
    for _ in range(MOST_TABS):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.textContent.trim()") == name:
            tab.page.keyboard.press("Enter")
            return
    raise AssertionError(f"no key leads to {name}")


def _audited(stage: ConsoleStage, tab: Tab, on: str) -> list[list[str]]:
    """What the page Audit shows of a job: what was done, and the status before and after."""
    tab.open(f"{stage.console.url}/audit")
    rows = tab.page.get_by_role("row").filter(has_text=on).all()
    cells = [row.get_by_role("cell").all_inner_texts() for row in rows]
    assert {who for _, who, *_ in cells} == {"olga@example.com"}
    return [[what, before.partition(":")[0], after.partition(":")[0]] for _, _, what, _, before, after in cells]
