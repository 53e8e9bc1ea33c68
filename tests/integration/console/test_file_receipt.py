"""Files on their way to the console: slow, broken off, or without room."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from proxy.console import sent_files
from proxy.console.pages import load as load_page
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.sent_loads import post_file, send_file
from tests.support.storage import Storage
from tests.support.worker_desk import shops

pytestmark = pytest.mark.usefixtures("prepared", "readers")


@contextmanager
def start_post(console: LiveConsole, content: bytes) -> Iterator[HTTPConnection]:
    """The beginning of a form."""
    started = HTTPConnection("127.0.0.1", console.port, timeout=60)
    headers = {"Origin": console.url, "Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100000"}
    started.request("POST", "/load/preview", content, headers)
    yield started
    started.close()


def test_a_disk_without_room_for_the_file_is_said(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("proxy.console.pages.load._copy", fail)
    response = post_file(console, storage.account, shops("a"))
    assert (response.status_code, "There is no room for the file" in response.text) == (507, True)


def test_a_file_that_does_not_arrive_is_given_up(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{console.csrf("/load")}\r\n'.encode()
    with monkeypatch.context() as patch:
        patch.setattr(load_page, "RECEIVE_SECONDS", 0.5)
        with start_post(console, head) as stalled:
            answer = stalled.getresponse()
            assert (answer.status, b"did not arrive" in answer.read()) == (408, True)
    assert send_file(console, storage.account, shops("a")).can_load


def test_a_browser_that_goes_away_is_no_error(
    console: LiveConsole, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2 * sent_files.MOST_RECEIVED):
        with start_post(console, b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'):
            pass
    assert send_file(console, storage.account, shops("a")).can_load  # no turn is lost
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_deadline_of_storage_is_another_one(
    console: LiveConsole, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_page, "PAGE_SECONDS", 0.0)
    response = post_file(console, storage.account, shops("a"))
    assert (response.status_code, "Storage did not answer in time" in response.text) == (503, True)


def test_only_the_form_of_files_may_be_large(console: LiveConsole) -> None:
    headers = {"Origin": console.url, "Content-Type": "application/x-www-form-urlencoded"}
    response = console.client.post(f"{console.url}/load/x/job", content=b"a" * 400_000, headers=headers)
    assert response.status_code == 413


def test_a_file_that_gets_no_turn_is_refused(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_files, "TURN_SECONDS", 0.2)
    monkeypatch.setattr(sent_files, "MOST_RECEIVED", 0)  # as if so many others were on their way
    response = post_file(open_console(storage), storage.account, shops("a"))
    assert (response.status_code, "Other files are being sent" in response.text) == (503, True)


def test_a_form_that_is_no_files_is_refused_unread(console: LiveConsole) -> None:
    response = console.post("/load/preview", {"csrf": "x" * 1_000_000})
    assert (response.status_code, "Choose a file" in response.text) == (400, True)
