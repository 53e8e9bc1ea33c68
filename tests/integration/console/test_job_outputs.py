"""Outputs of a job: what the page says of them, and their download."""

from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.job_page import path_of, rows
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

TRY, JOB = "1" * 12, "0" * 32


def put(storage: Storage, path: str, content: bytes) -> str:
    """Writes a blob; gives its path."""
    container, _, name = path.partition("/")
    client = storage.blobs.get_container_client(container)
    if not client.exists():
        client.create_container()
    client.upload_blob(name, content, overwrite=True)
    return path


def test_outputs_and_error_log_of_a_real_load_are_sent(storage: Storage, console: LiveConsole) -> None:
    ids: list[str] = []

    async def story(desk: Desk) -> None:
        bad = "\n".join(f"bad{number},,1,200" for number in range(150))
        ids.append((await desk.done(desk.load(shops("1", more=bad)))).row_key)
        ids.append((await desk.done(desk.download())).row_key)

    play(storage, story)
    load, download = (path_of(storage, job_id) for job_id in ids)
    (log,) = console.page(load).xpath("//*[@id='log']")
    lines = log.text_content().splitlines()
    assert (len(lines), "bad0" in lines[0], "bad99" in lines[99]) == (100, True, True)
    assert "The first 100 lines" in console.text(load)
    response = console.get(f"{load}/outputs/failed")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="Shops-failed.txt"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(response.text.splitlines()) == 150
    state, _, blob = rows(console, download, "Files")["Output"]
    assert (state, blob.startswith(f"exports/{storage.account}/")) == ("Download output", True)
    response = console.get(f"{download}/outputs/succeeded")
    assert response.headers["Content-Type"] == "application/xml"
    assert response.headers["Content-Disposition"] == 'attachment; filename="Shops.xml"'
    assert b"<EntityID>" in response.content or b"<Id>" in response.content
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_a_large_output_is_streamed_whole(storage: Storage, console: LiveConsole) -> None:
    content = bytes(range(256)) * 4096 * 9  # 9 MB
    name = put(storage, f"exports/{storage.account}/large.bin", content)
    path = path_of(storage, storage.job(OutputBlob=name))
    with console.client.stream("GET", f"{console.url}{path}/outputs/succeeded") as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.read() == content
    assert console.client.head(f"{console.url}{path}/outputs/succeeded").status_code == 200


@pytest.mark.slow
def test_a_download_that_breaks_off_is_no_whole_file(storage: Storage, open_console: StartConsole) -> None:
    name = put(storage, f"exports/{storage.account}/large.bin", bytes(60_000_000))
    path = path_of(storage, storage.job(OutputBlob=name))
    with Hop.before(storage, "Blob") as hop:
        entry = {"storage": {"connection_string": hop.connection_string}}
        console = open_console(storage, accounts={storage.account: entry})
        with console.client.stream("GET", f"{console.url}{path}/outputs/succeeded") as response:
            chunks = response.iter_raw(1_000_000)
            next(chunks)
            hop.mode = Mode.REFUSE
            with pytest.raises(httpx.RemoteProtocolError):
                list(chunks)
        assert "Storage: unreachable" in console.text(path)


@pytest.mark.parametrize("name", ['a"b;c.txt', "ü ☃.html", "x%0d%0aSet-Cookie: a=b.txt", "'><script>.svg", "a\\b.txt"])
def test_hostile_names_are_only_a_file_name(storage: Storage, console: LiveConsole, name: str) -> None:
    path = path_of(storage, storage.job(OutputBlob=put(storage, f"exports/{storage.account}/{name}", b"<script>")))
    response = console.get(f"{path}/outputs/succeeded")
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.endswith(f"filename*=UTF-8''{quote(name, safe='')}") or name in disposition
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Type"].split(";")[0] in {"text/plain", "application/octet-stream"}
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_log_of_odd_bytes_is_shown_cut_and_as_text(storage: Storage, console: LiveConsole) -> None:
    content = b"\xef\xbb\xbf<b>first</b>\r\n\xff\x00second\n" + b"x" * 3_000_000
    job_id = storage.job(FailedBlob=put(storage, f"exports/{storage.account}/log.txt", content))
    response = console.get(path_of(storage, job_id))
    assert (response.status_code, "<b>first" in response.text, len(response.text) < 40_000) == (200, False, True)
    assert "<b>first</b>" in console.text(path_of(storage, job_id))
    assert "long ones are cut" in console.text(path_of(storage, job_id))


def test_an_empty_log_says_so(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(FailedBlob=put(storage, f"exports/{storage.account}/empty.txt", b""))
    assert "It is empty." in console.text(path_of(storage, job_id))
    assert console.get(f"{path_of(storage, job_id)}/outputs/failed").content == b""


def test_an_output_that_is_gone_is_a_page_with_a_sentence(storage: Storage, console: LiveConsole) -> None:
    path = path_of(storage, storage.job(OutputBlob="exports/gone.xml", FailedBlob="nowhere-at-all/gone.txt"))
    assert {cells[0] for cells in rows(console, path, "Files").values()} == {"gone The blob no longer exists."}
    for name in ("succeeded", "failed"):
        response = console.get(f"{path}/outputs/{name}")
        assert (response.status_code, "The output is not there any more" in response.text) == (404, True)
    for name in ("upload", "x", "%2e%2e"):
        assert console.client.get(f"{console.url}{path}/outputs/{name}").status_code == 404


def test_blobs_that_are_not_the_account_s_are_not_read(storage: Storage, open_console: StartConsole) -> None:
    other = replace(storage, account=f"{storage.account}-b")
    console = open_console(
        storage, accounts={other.account: {"storage": {"connection_string": storage.connection_string}}}
    )
    for blob in (
        f"exports/{other.account}/{JOB}/{TRY}/Shops.xml",
        f"exports/{other.account}/any.xml",
        f"exports/{other.account}\\{JOB}\\{TRY}\\Shops.xml",  # storage takes it for the first of these
        f"uploads/{other.account}/{JOB}",
        f"datasources/{other.account}/shops/x.parquet",
    ):
        put(storage, blob, b"of another account")
        path = path_of(storage, storage.job(OutputBlob=blob, FailedBlob=blob))
        assert all("not this account's" in cells[0] for cells in rows(console, path, "Files").values())
        assert "of another account" not in console.get(path).text
        for name in ("succeeded", "failed"):
            response = console.get(f"{path}/outputs/{name}")
            assert (response.status_code, "of another account" in response.text) == (404, False)


def test_the_upload_of_another_account_is_not_looked_at(storage: Storage, console: LiveConsole) -> None:
    put(storage, f"uploads/{storage.account}-b/x", b"12345")
    work = f'{{"upload": "uploads/{storage.account}-b/x"}}'
    path = path_of(storage, storage.job(status="Pending", Work=work))
    state, size, _ = rows(console, path, "Files")["Upload"]
    assert ("not this account's" in state, size) == (True, "")
