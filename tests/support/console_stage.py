"""An account with a console and a worker, for tests that change things by hand in a browser."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from adapters.model.jobs import JobType
from tests.support.console import LiveConsole, start_console
from tests.support.console_browser import Tab
from tests.support.live import wait_for
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, Story, play
from tests.support.worker_processes import worker_process

JOB_SECONDS = 60.0
"""The longest that a job of a few entities takes with its page, on a busy machine."""
RENEWED_MILLISECONDS = 5000
"""How often a page of a job renews itself."""


@dataclass(frozen=True, slots=True)
class ConsoleStage:
    """The account, its console, and the thread in which event loops run beside the browser's."""

    storage: Storage
    console: LiveConsole
    thread: ThreadPoolExecutor

    @classmethod
    @contextmanager
    def open(cls, storage: Storage, folder: Path) -> Iterator["ConsoleStage"]:
        """Starts the console, and a worker as a process."""
        with (
            ThreadPoolExecutor(1, "stage") as thread,
            start_console(storage) as console,
            worker_process(storage, folder) as worker,
        ):
            worker.wait_until_ready()
            yield cls(storage, console, thread)
            worker.kill()

    def play(self, story: Story) -> None:
        """Runs a story with the account."""
        self.thread.submit(play, self.storage, story).result()

    def load(self, data: bytes, name: str, operation: str = "complete") -> str:
        """Loads a data source; returns the job's id when the worker has done it."""
        found = list[str]()

        async def story(desk: Desk) -> None:
            found.append(await desk.load(data, operation, name))

        self.play(story)
        self.wait(found[0], "Completed")
        return found[0]

    def create(self, job_type: JobType, name: str, *, is_queued: bool = True) -> str:
        """Creates a job. Without a message in the queue, no worker takes it."""
        found = list[str]()

        async def story(desk: Desk) -> None:
            found.append(await (desk.create if is_queued else desk.create_row)(job_type, name))

        self.play(story)
        return found[0]

    def status(self, job_id: str) -> str:
        """The status that a job's row has."""
        return str(self.storage.table.get_entity(self.storage.account, job_id)["Status"])

    def wait(self, job_id: str, status: str) -> None:
        """Returns when a job has a status."""
        wait_for(lambda: self.status(job_id) == status)

    def job_url(self, job_id: str) -> str:
        """The URL of a job's page."""
        return f"{self.console.url}/accounts/{self.storage.account}/jobs/{job_id}"

    def source_url(self, name: str) -> str:
        """The URL of a data source's page."""
        return f"{self.console.url}/accounts/{self.storage.account}/sources/{quote(name, safe='')}"


def follow_job(tab: Tab) -> None:
    """Waits until the page of a job, which stays open, shows that the job is Completed.

    The tab's clock, which must be installed, runs ahead, so that a test waits for the worker and not for the page.
    """
    page, end = tab.page, time.monotonic() + JOB_SECONDS
    page.evaluate("window.isSamePage = true")
    while page.locator("#live .state .status").inner_text() != "Completed":
        assert time.monotonic() < end, page.locator("#live").inner_text()
        page.clock.run_for(RENEWED_MILLISECONDS)
        page.wait_for_timeout(200)
    assert page.evaluate("window.isSamePage"), "the page was loaded anew"
