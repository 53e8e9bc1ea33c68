"""A console that shows only asks nothing of storage that SECURITY.md's Reader roles do not allow."""

from collections.abc import Iterator

import pytest

from adapters.model.jobs import JobRecord
from proxy.console.navigation import NAVIGATION
from tests.integration.security.asked import Recorder
from tests.integration.security.test_least_privilege import ACTIONS
from tests.support.console import LiveConsole, start_console
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


@pytest.fixture
def jobs(storage: Storage) -> list[JobRecord]:
    """A load, one with an error log, and a download."""
    done: list[JobRecord] = []

    async def story(desk: Desk) -> None:
        done.append(await desk.done(desk.load(shops("a"))))
        done.append(await desk.done(desk.load(shops("b", more="b,twice"), "incremental")))
        done.append(await desk.done(desk.download()))

    play(storage, story)
    assert [bool(job.failed_blob) for job in done] == [False, True, False]
    return done


@pytest.fixture
def console(storage: Storage) -> Iterator[LiveConsole]:
    with start_console(storage, console_read_only=True) as started:
        yield started


def test_a_console_that_shows_only_needs_the_reader_roles_and_no_more(
    storage: Storage, console: LiveConsole, jobs: list[JobRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = f"/accounts/{storage.account}"
    paths = [path for path, _ in NAVIGATION]
    paths += [f"{account}/sources/Shops", *(f"{account}/jobs/{job.row_key}" for job in jobs)]
    recorder = Recorder.on(monkeypatch, storage)
    recorder.who = "console"
    answers = {path: console.get(path).status_code for path in paths}
    recorder.who = "nobody"
    assert answers == dict.fromkeys(paths, 200)
    asked = {on: actions for (who, on), actions in recorder.asked.items() if who == "console"}
    assert asked == {on: actions for (who, on), actions in ACTIONS.items() if who == "console"}
