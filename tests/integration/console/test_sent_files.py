"""Files between their preview and their job: whose they are, how long they stay, and how many."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import BlobPath
from proxy.console import load_preview, sent_files
from proxy.console.errors import RequestRefusedError
from proxy.console.pages import load as load_page
from proxy.operations import file_loads
from proxy.wire.parameters import LoadRequest, parse_load_request
from proxy.wire.request import QueryParameters
from proxy.worker.reader_pool import ReaderKilledError, ReadingError
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.inline_readers import InlineReaders
from tests.support.live import wait_for
from tests.support.sent_loads import SentPage, post_file, send_file
from tests.support.storage import Storage
from tests.support.stored_jobs import Written, source, version
from tests.support.worker_desk import shops

TOKEN = "a-token-of-the-console-that-nobody-guesses"  # noqa: S105 - of these tests alone

pytestmark = pytest.mark.usefixtures("prepared", "readers")


SignIn = Callable[[], LiveConsole]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the files of these consoles apart from those of others on this machine."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def sign_in(storage: Storage, open_console: StartConsole, tmp_path: Path) -> Iterator[SignIn]:
    """Opens another browser, which has signed in at one console."""
    (tmp_path / "token").write_text(TOKEN)
    port = open_console(storage, console_token_file=tmp_path / "token").port
    with ExitStack() as stack:

        def open_browser() -> LiveConsole:
            browser = LiveConsole(port, stack.enter_context(httpx.Client(timeout=60)))
            assert browser.post("/sign-in", {"token": TOKEN}).status_code == 303
            return browser

        yield open_browser


def folders() -> set[str]:
    """The folders of files that consoles have."""
    return {str(each) for each in Path(tempfile.gettempdir()).glob("*/load-*")}


def test_two_sessions_do_not_see_each_others_files(sign_in: SignIn, storage: Storage) -> None:
    one, two = sign_in(), sign_in()
    first, second = send_file(one, storage.account, shops("a")), send_file(two, storage.account, shops("b", "c"))
    assert ([row[0] for row in first.rows], [row[0] for row in second.rows]) == (["Id", "a"], ["Id", "b", "c"])
    for path in (first.path, f"{first.path}/errors"):
        assert (two.get(path).status_code, "not here any more" in two.get(path).text) == (404, True)
    assert two.post(f"{first.path}/job", {"csrf": two.csrf("/load")}).status_code == 404
    assert second.load() != first.load()


def test_the_file_of_a_session_that_has_ended_is_nobodys(sign_in: SignIn, storage: Storage) -> None:
    browser = sign_in()
    sent, csrf = send_file(browser, storage.account, shops("a")), browser.csrf("/load")
    browser.post("/sign-out", {})
    assert browser.get(sent.path).headers["Location"].startswith("/sign-in")
    assert browser.post(f"{sent.path}/job", {"csrf": csrf}).headers["Location"] == "/sign-in"
    assert post_file(browser, storage.account, shops("a"), csrf=csrf).headers["Location"] == "/sign-in"
    assert sign_in().get(sent.path).status_code == 404
    assert Written(storage).nothing()


def test_the_next_file_of_a_session_takes_the_place_of_the_first(console: LiveConsole, storage: Storage) -> None:
    before = folders()
    first = send_file(console, storage.account, shops("a"))
    csrf = console.csrf(first.path)
    second = send_file(console, storage.account, shops("b"))
    assert len(folders() - before) == 1
    late = console.post(f"{first.path}/job", {"csrf": csrf})
    assert (late.status_code, "Send it again" in late.text) == (404, True)
    assert Written(storage).nothing()
    second.load()
    assert folders() == before


def test_the_oldest_file_goes_where_too_many_come(sign_in: SignIn, storage: Storage) -> None:
    before = folders()
    sent = [send_file(sign_in(), storage.account, shops("a")) for _ in range(sent_files.MOST_FILES + 1)]
    assert [each.console.get(each.path).status_code for each in sent] == [404, *[200] * sent_files.MOST_FILES]
    assert len(folders() - before) == sent_files.MOST_FILES


def test_a_file_goes_after_an_hour(console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = folders()
    monkeypatch.setattr(sent_files, "KEPT_SECONDS", 2.0)
    path = post_file(console, storage.account, shops("a")).headers["Location"]
    wait_for(lambda: console.get(path).status_code == 404)
    wait_for(lambda: folders() == before)


def test_the_page_follows_a_reading_that_takes_its_time(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_page, "PATIENCE", 0.0)
    go_on, read = asyncio.Event(), InlineReaders.run
    loops = []

    async def wait_and_run(pool: InlineReaders, task: Any, report: Any) -> Any:
        loops.append(asyncio.get_running_loop())
        report(12_345, 0)
        await go_on.wait()
        return await read(pool, task, report)

    monkeypatch.setattr(InlineReaders, "run", wait_and_run)
    path = post_file(console, storage.account, shops("a")).headers["Location"]
    sent = SentPage(console, path)
    wait_for(lambda: "so far: 12,345." in sent.text)
    (part,) = sent.tree.xpath("//*[@id='load']")
    assert (part.get("hx-get"), part.get("hx-trigger"), sent.can_load) == (path, "every 1s", False)
    loops[0].call_soon_threadsafe(go_on.set)
    assert sent.wait().can_load
    assert "1 of 1 entities can be loaded." in sent.text


def test_a_reading_that_takes_too_long_says_so(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(InlineReaders, "run", hang)
    monkeypatch.setattr(load_preview, "READING_SECONDS", 0.01)
    sent = send_file(console, storage.account, shops("a"))
    assert (sent.problem, sent.can_load) == (load_preview.TOO_SLOW, False)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ReaderKilledError("killed"), load_preview.KILLED),
        (ReadingError("The data can't be read as csv.", "a secret"), "The data can't be read as csv."),
        (OSError(28, "No space left on device"), load_preview.NO_DISK),
        (StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s"), "Storage: timeout: nothing within 5 s."),
        (ValueError("a secret"), load_preview.FAILED),
    ],
)
def test_what_is_not_the_files_fault_is_said_in_a_sentence(
    error: Exception, words: str, console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(InlineReaders, "run", fail)
    sent = send_file(console, storage.account, shops("a"))
    assert (sent.problem.startswith(words), sent.can_load, "secret" in sent.text) == (True, False, False)


def test_a_second_press_makes_no_second_job(console: LiveConsole, storage: Storage) -> None:
    sent = send_file(console, storage.account, shops("a"))
    csrf = console.csrf(sent.path)
    job_id = sent.load()
    again = console.post(f"{sent.path}/job", {"csrf": csrf})
    assert again.headers["Location"] == f"/accounts/{storage.account}/jobs/{job_id}?notice=created"
    assert console.get(sent.path).headers["Location"] == again.headers["Location"]
    assert "The job is created." in console.text(again.headers["Location"])
    followed = console.get(sent.path, headers={"HX-Request": "true"})
    assert (followed.status_code, followed.headers["HX-Redirect"]) == (200, again.headers["Location"])
    assert Written(storage).queued() == [job_id]


def test_a_press_while_the_job_is_being_created_makes_no_second_job(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_page, "PATIENCE", 0.0)
    sent = send_file(console, storage.account, shops("a"))
    csrf = console.csrf(sent.path)
    targets = {console.post(f"{sent.path}/job", {"csrf": csrf}).headers["Location"] for _ in range(5)}
    assert sent.path in targets
    wait_for(lambda: console.get(sent.path).status_code == 303)
    assert len(Written(storage).queued()) == 1


def test_a_job_that_was_not_created_may_be_asked_for_again(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = open_console(storage, max_active_jobs=1)
    sent = send_file(console, storage.account, shops("a"))
    other = storage.job("DataSourceDelete", "Pending")
    assert sent.press().headers["Location"] == sent.path
    assert "No job was created: JobUsageQuota: Account already has 1 'Pending' jobs." in sent.text
    refused = post_file(console, storage.account, shops("b"))
    assert (refused.status_code, "JobUsageQuota" in refused.text) == (400, True)
    storage.table.delete_entity(storage.account, other)

    async def fail(*_: object, **__: object) -> None:
        raise StorageError(StorageErrorCode.OVERLOADED, "many wait")

    with monkeypatch.context() as patch:
        patch.setattr(file_loads, "create_job", fail)
        sent.press()
    assert "No job was created: storage: busy: many wait." in sent.text
    with monkeypatch.context() as patch:
        patch.setattr(file_loads, "plan_load", None)
        sent.press()
    assert load_preview.FAILED in sent.text
    assert Written(storage).queued() == []
    assert sent.load() == Written(storage).job()["RowKey"]


def test_a_read_only_console_loads_nothing(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage, console_read_only=True)
    page = console.page("/load")
    assert "read-only" in page.text_content()
    assert page.xpath("//main//form") == []
    assert page.xpath("//nav//a[@href='/load']") == []
    assert post_file(console, storage.account, shops("a"), csrf="x").status_code == 403


@pytest.mark.parametrize("path", ["/load/nothing", "/load/nothing/errors", "/load/..%2f..%2fetc", "/load/preview"])
def test_other_paths_are_pages_too(path: str, console: LiveConsole) -> None:
    response = console.get(path)
    assert response.status_code in {404, 405}
    assert "<h1>This did not work</h1>" in response.text
    assert console.post("/load/nothing/job", {"csrf": console.csrf("/load")}).status_code == 404


def test_a_file_without_errors_has_no_error_log(console: LiveConsole, storage: Storage) -> None:
    sent = send_file(console, storage.account, b"nonsense")
    response = console.get(f"{sent.path}/errors")
    assert (response.status_code, load_page.NO_ERRORS in response.text) == (404, True)


def test_a_file_that_finds_no_room_is_refused(storage: Storage, tmp_path: Path) -> None:
    async def fill() -> None:
        files = sent_files.SentFiles(tmp_path)
        load = sent_files.SentLoad(storage.account, parse_load(), None, None, "shops.csv")
        for number in range(sent_files.MOST_FILES):
            (await files.add(f"session {number}", load, files.make_folder(), 1)).is_sending = True
        with pytest.raises(RequestRefusedError, match="Other files are being loaded"):
            await files.add("one more", load, files.make_folder(), 1)
        await files.close()

    asyncio.run(fill())


def parse_load() -> LoadRequest:
    parameters = {"datasourcename": "Shops", "loadoperation": "complete", "input": "csv"}
    return parse_load_request(QueryParameters(key=None, output="", parameters=parameters))


def test_a_data_source_whose_row_cant_be_read_is_named(console: LiveConsole, storage: Storage) -> None:
    storage.data_source_row("shops", Name=7)
    response = post_file(console, storage.account, shops("a"))
    assert (response.status_code, "The data source can&#39;t be loaded: " in response.text) == (400, True)


def test_a_version_that_is_gone_meanwhile_is_said(console: LiveConsole, storage: Storage) -> None:
    gone = replace(version(), blob=BlobPath("datasources", f"{storage.account}/shops/gone.parquet"))
    Written(storage).put(source(published=gone))
    sent = send_file(console, storage.account, shops("a"), loadoperation="incremental")
    assert (sent.problem, sent.can_load) == (load_preview.BASE_GONE, False)
