"""A changed key ring file is in force within five seconds; a broken one is refused and the last good one stays."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from proxy.keyring import reload
from proxy.keyring.file import parse_keyring, read_keyring
from proxy.keyring.keyring import hash_key
from proxy.keyring.reload import ActiveKeyRing, reload_on_change
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.worker_processes import worker_process

SECONDS = 5.0


def ring(storage: Storage, *keys: str, **accounts: Any) -> str:
    entry = {"storage": {"connection_string": storage.connection_string}}
    return json.dumps(
        {"accounts": {storage.account: entry} | accounts, "keys": {key: {"account": storage.account} for key in keys}}
    )


def seconds_until(condition: Callable[[], bool]) -> float:
    started = time.perf_counter()
    while not condition():
        assert time.perf_counter() - started < SECONDS
        time.sleep(0.05)
    return time.perf_counter() - started


def status(server: Served, key: str) -> int:
    return server.get("Dataflows/ListJobs", key).status_code


def test_a_change_is_in_force_within_five_seconds(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring(storage, "first"))
    with serving(storage, keyring_file=file) as server:
        assert status(server, "first") == 200
        file.write_text(ring(storage, "second"))
        seconds_until(lambda: status(server, "second") == 200)
        assert status(server, "first") == 401


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["{", '{"accounts": {}}', "gone", "a pipe", "a folder"])
def test_a_broken_file_is_refused_and_the_last_ring_stays(storage: Storage, tmp_path: Path, broken: str) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring(storage, "first"))
    with serving(storage, keyring_file=file) as server:
        file.unlink()
        if broken == "a pipe":
            os.mkfifo(file)
        elif broken == "a folder":
            file.mkdir()
        elif broken != "gone":
            file.write_text(broken)
        seconds_until(lambda: "key ring" in server.log())
        time.sleep(2.5)  # the next look finds the same and says nothing
        assert status(server, "first") == 200
        told = [line for line in server.log().splitlines() if "refused" in line]
        assert len(told) == 1
        assert "key ring" in told[0]
        next_file = tmp_path / "next.json"
        next_file.write_text(ring(storage, "first", "second"))
        if broken == "a folder":
            file.rmdir()
        next_file.replace(file)
        seconds_until(lambda: status(server, "second") == 200)


def test_a_pipe_for_a_ring_does_not_block_sigterm(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring(storage, "first"))
    with (
        worker_process(storage, tmp_path, keyring="", keyring_file=file) as worker,
        serving(storage, keyring_file=file) as server,  # its end and exit status are judged there
    ):
        worker.wait_until_ready()
        file.unlink()
        os.mkfifo(file)
        seconds_until(lambda: "no regular file" in server.log())
        time.sleep(2 * reload.POLL_SECONDS)  # the worker has looked too
        status, said = worker.end()
    assert status == 0, said


def test_a_hanging_file_is_logged_once_and_reread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a mount whose server is away."""
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(reload, "READ_SECONDS", 0.05)
    text = '{"accounts": {"a": {"storage": {"connection_string": "UseDevelopmentStorage=true"}}}, "keys": {%s}}'
    first, hangs, released, readers = parse_keyring(text % ""), threading.Event(), threading.Event(), set[int]()

    def read(path: Path) -> str:
        if path != tmp_path:  # that of a server which other tests share
            return read_keyring(path)
        if hangs.is_set():
            readers.add(threading.get_ident())
            released.wait()
        return text % '"one": {"account": "a"}'

    monkeypatch.setattr(reload, "read_keyring", read)
    hangs.set()

    async def test() -> None:
        ring = ActiveKeyRing(first, AccountRegistry(first.accounts, StorageOptions("jobs", timedelta(hours=1), 5)))

        async def nothing(_: AccountRegistry) -> None: ...

        watching = asyncio.create_task(reload_on_change(tmp_path, ring, 60, nothing))
        await asyncio.sleep(1)
        assert len(readers) == reload.MAX_HANGING
        (told,) = (message for message in caplog.messages if "key ring" in message)
        assert told.endswith("PROXY_KEYRING_FILE: key ring: can't be read: it does not answer within 0.05 s")
        hangs.clear()
        released.set()
        while hash_key(b"one") not in ring.keyring.grants:
            await asyncio.sleep(0.01)
            assert not watching.done()
        hangs.set()
        released.clear()
        await asyncio.sleep(0.1)
        watching.cancel()  # and ends, though a reader hangs
        with pytest.raises(asyncio.CancelledError):
            await watching
        await ring.accounts.close()

    asyncio.run(asyncio.wait_for(test(), 4 * SECONDS))
    released.set()


def test_accounts_are_opened_and_closed_with_the_ring(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring(storage, "first"))
    with serving(storage, keyring_file=file) as server:
        changed = json.loads(ring(storage))
        changed["accounts"] = {"other": changed["accounts"][storage.account]}
        changed["keys"] = {"second": {"account": "other"}}
        file.write_text(json.dumps(changed))
        seconds_until(lambda: status(server, "second") == 200)
        assert status(server, "first") == 401


def test_a_ring_behind_a_changing_link_is_followed(storage: Storage, tmp_path: Path) -> None:
    # As Kubernetes mounts a secret: the file is a link into a folder that is exchanged.
    for name, key in (("one", "first"), ("two", "second")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ring.json").write_text(ring(storage, key))
    (tmp_path / "data").symlink_to("one")
    file = tmp_path / "ring.json"
    file.symlink_to("data/ring.json")
    with serving(storage, keyring_file=file) as server:
        assert status(server, "first") == 200
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").rename(tmp_path / "data")
        seconds_until(lambda: status(server, "second") == 200)


def test_what_fails_after_a_change_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.01)
    entry = '{"accounts": {"a": {"storage": {"connection_string": "UseDevelopmentStorage=true"}}}, "keys": {%s}}'
    file = tmp_path / "ring.json"
    file.write_text(entry % "")
    first = parse_keyring(file.read_text())

    async def test() -> None:
        ring = ActiveKeyRing(first, AccountRegistry(first.accounts, StorageOptions("jobs", timedelta(hours=1), 5)))

        async def fail(_: AccountRegistry) -> None:
            raise RuntimeError("nobody foresaw this")

        watching = asyncio.create_task(reload_on_change(file, ring, 60, fail))
        for key in ("one", "two"):
            file.write_text(entry % f'"{key}": {{"account": "a"}}')
            while hash_key(key.encode()) not in ring.keyring.grants:
                await asyncio.sleep(0.01)
                assert not watching.done()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        await ring.accounts.close()

    asyncio.run(asyncio.wait_for(test(), SECONDS))
