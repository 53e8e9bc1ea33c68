"""A changed key ring file is in force within five seconds; a broken one is refused and the last good one stays."""

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from tests.support.live import WAIT_SECONDS, wait_for
from tests.support.serve_command import Served, serving
from tests.support.stalls import assert_within
from tests.support.storage import Storage
from tests.support.worker_processes import worker_process

Prepare = Callable[[AccountRegistry], Awaitable[None]]

SECONDS = 5.0
"""Within so many a change is in force."""

PAUSE = 2 * reload.POLL_SECONDS
TEXT = '{"accounts": {"a": {"storage": {"connection_string": "UseDevelopmentStorage=true"}}}, "keys": {%s}}'
OPTIONS = StorageOptions("jobs", timedelta(hours=1), 5)


def ring(storage: Storage, *keys: str, **accounts: Any) -> str:
    entry = {"storage": {"connection_string": storage.connection_string}}
    return json.dumps(
        {"accounts": {storage.account: entry} | accounts, "keys": {key: {"account": storage.account} for key in keys}}
    )


def text_with(*keys: str) -> str:
    """A ring that needs no storage."""
    return TEXT % ", ".join(f'"{key}": {{"account": "a"}}' for key in keys)


def status(server: Served, key: str) -> int:
    return server.get("Dataflows/ListJobs", key).status_code


@dataclass(frozen=True)
class Followed:
    """A server that follows a file, which is a link into a folder, as Kubernetes mounts a secret."""

    server: Served
    storage: Storage
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "ring.json"

    def has(self, key: str) -> bool:
        return status(self.server, key) == 200


@pytest.fixture(scope="module")
def followed(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """One server for what looks at changes only: each test writes a ring of its own."""
    folder = tmp_path_factory.mktemp("ring")
    (folder / "one").mkdir()
    (folder / "one" / "ring.json").write_text(ring(account, "first"))
    (folder / "data").symlink_to("one")
    (folder / "ring.json").symlink_to("data/ring.json")
    with serving(account, keyring_file=folder / "ring.json") as server:
        yield Followed(server, account, folder)


@pytest.mark.slow
def test_a_change_is_in_force_within_five_seconds(followed: Followed) -> None:
    before = iter("abcdefgh")

    def change() -> float:
        key = next(before)
        started = time.monotonic()
        followed.file.write_text(ring(followed.storage, key))
        wait_for(lambda: followed.has(key))
        return time.monotonic() - started

    assert_within(SECONDS, change)
    assert status(followed.server, "first") == 401


@pytest.mark.slow
def test_accounts_are_opened_and_closed_with_the_ring(followed: Followed) -> None:
    followed.file.write_text(ring(followed.storage, "before"))
    wait_for(lambda: followed.has("before"))
    changed = json.loads(ring(followed.storage))
    changed["accounts"] = {"other": changed["accounts"][followed.storage.account]}
    changed["keys"] = {"after": {"account": "other"}}
    followed.file.write_text(json.dumps(changed))
    wait_for(lambda: followed.has("after"))
    assert status(followed.server, "before") == 401


@pytest.mark.slow
def test_a_ring_behind_a_changing_link_is_followed(followed: Followed) -> None:
    (followed.folder / "two").mkdir()
    (followed.folder / "two" / "ring.json").write_text(ring(followed.storage, "of the second folder"))
    (followed.folder / "next").symlink_to("two")
    (followed.folder / "next").rename(followed.folder / "data")
    wait_for(lambda: followed.has("of the second folder"))


@pytest.mark.slow
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
        wait_for(lambda: "no regular file" in server.log())
        time.sleep(PAUSE)  # the worker has looked too
        assert status(server, "first") == 200
        said_status, said = worker.end()
    assert said_status == 0, said


@asynccontextmanager
async def watching(path: Path, prepare: Prepare | None = None) -> AsyncIterator[ActiveKeyRing]:
    """A ring without keys that follows a file, until the context ends."""

    async def nothing(_: AccountRegistry) -> None: ...

    first = parse_keyring(text_with())
    ring = ActiveKeyRing(first, AccountRegistry(first.accounts, OPTIONS))
    watch = asyncio.create_task(reload_on_change(path, ring, 60, prepare or nothing))
    try:
        yield ring
        assert not watch.done()
    finally:
        watch.cancel()  # and ends, though a reader hangs
        with pytest.raises(asyncio.CancelledError):
            await watch
        await ring.accounts.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - a file changes
            await asyncio.sleep(0.01)


def has(ring: ActiveKeyRing, key: str) -> Callable[[], bool]:
    return lambda: hash_key(key.encode()) in ring.keyring.grants


@pytest.mark.anyio
@pytest.mark.parametrize("broken", ["{", '{"accounts": {}}', "gone", "a pipe", "a folder"])
async def test_a_broken_file_is_refused_once_and_the_last_ring_stays(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(reload, "READ_SECONDS", WAIT_SECONDS)
    file, reads = tmp_path / "ring.json", list[Path]()
    file.write_text(text_with("first"))

    def read(path: Path) -> str:
        reads.append(path)
        return read_keyring(path)

    monkeypatch.setattr(reload, "read_keyring", read)

    def refusals() -> list[str]:
        return [message for message in caplog.messages if message.startswith("key ring: ") and "refused" in message]

    def exchange(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        (tmp_path / name).replace(file)

    async with watching(file) as ring:
        await until(has(ring, "first"))
        if broken.startswith("{"):
            exchange("broken", broken)
        else:
            file.unlink()
        if broken == "a pipe":
            os.mkfifo(file)
        elif broken == "a folder":
            file.mkdir()
        await until(lambda: bool(refusals()))
        found = len(reads)
        await until(lambda: len(reads) > found + 2)  # the next reads find the same and say nothing
        assert has(ring, "first")()
        if broken == "a folder":
            file.rmdir()
        exchange("next", text_with("first", "second"))
        await until(has(ring, "second"))
    assert len(refusals()) == 1


@pytest.mark.anyio
async def test_a_hanging_file_is_logged_once_and_reread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a mount whose server is away."""
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(reload, "READ_SECONDS", 0.05)
    hangs, released, readers = threading.Event(), threading.Event(), set[int]()

    def read(path: Path) -> str:
        if path != tmp_path:  # that of a server which other tests share
            return read_keyring(path)
        if hangs.is_set():
            readers.add(threading.get_ident())
            released.wait()
        return text_with("one")

    monkeypatch.setattr(reload, "read_keyring", read)
    hangs.set()
    try:
        async with watching(tmp_path) as ring:
            await until(lambda: len(readers) == reload.MAX_HANGING)
            await asyncio.sleep(0.3)  # and no more begin
            assert len(readers) == reload.MAX_HANGING
            (said,) = (message for message in caplog.messages if "key ring" in message)
            assert said.endswith("PROXY_KEYRING_FILE: key ring: can't be read: it does not answer within 0.05 s")
            hangs.clear()
            released.set()
            await until(has(ring, "one"))
            hangs.set()
            released.clear()
            readers.clear()
            await until(lambda: bool(readers))
    finally:
        released.set()


@pytest.mark.anyio
async def test_what_fails_after_a_change_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.01)
    file = tmp_path / "ring.json"

    async def fail(_: AccountRegistry) -> None:
        raise RuntimeError("nobody foresaw this")

    async with watching(file, fail) as ring:
        for key in ("one", "two"):
            file.write_text(text_with(key))
            await until(has(ring, key))
