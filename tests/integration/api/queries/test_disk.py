"""The disk cache of versions as its disk fails: an answer that is right, or a 503 with the reason in the log."""

import errno
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters import version_cache
from adapters.model.versions import DamagedVersionError
from proxy.operations import version_files
from proxy.query.version_file import VersionFile
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.fault_proxy import Hop
from tests.support.queries import Queries, load, stores
from tests.support.serve_command import serving
from tests.support.storage import BUSY_SECONDS, Storage

IDS = [f"s{number:06d}" for number in range(50)]


@pytest.fixture
def queries(storage: Storage, querying: StartQuerying) -> Queries:
    """Queries a data source of 50 stores, one of which has been read."""
    load(storage, stores(count=50))
    found = Queries(querying(storage))
    assert found.read("Stores?$top=50&$select=Id").ids == IDS
    return found


def the_file(folder: Path) -> Path:
    (file,) = folder.glob("*.arrow")
    return file


def flip(file: Path) -> None:
    """Changes each byte of a file that is in use, in its place."""
    content = file.read_bytes()
    with file.open("r+b") as opened:
        opened.write(bytes(byte ^ 0xA5 for byte in content))


def fill_with_zeros(file: Path) -> None:
    size = file.stat().st_size
    os.truncate(file, 0)
    os.truncate(file, size)


def remove(file: Path) -> None:
    file.unlink()


def remove_folder(file: Path) -> None:
    for each in file.parent.iterdir():
        each.unlink()
    file.parent.rmdir()


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    os.truncate(file, 0)


DAMAGES = [flip, fill_with_zeros, cut, empty, remove, remove_folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_file_damaged_while_in_use_is_never_a_wrong_answer(
    damage: Callable[[Path], None], queries: Queries, folder: Path
) -> None:
    damage(the_file(folder))
    for select in ("Id", "Note,Seats", "*"):
        assert queries.read(f"Stores?$top=50&$select={select}").ids == IDS


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_file_damaged_between_two_processes_is_fetched_again(
    damage: Callable[[Path], None], queries: Queries, storage: Storage, querying: StartQuerying, folder: Path
) -> None:
    assert queries.server.port
    damage(the_file(folder))
    assert Queries(querying(storage)).read("Stores?$top=50").ids == IDS
    assert queries.read("Stores?$top=50").ids == IDS


def test_a_folder_that_is_deleted_takes_the_next_version(queries: Queries, storage: Storage, folder: Path) -> None:
    remove_folder(the_file(folder))
    load(storage, stores("new"))
    assert queries.read("Stores").ids == ["new"]
    assert the_file(folder).exists()


def test_a_file_that_stays_damaged_is_a_500_with_its_trace_id(
    queries: Queries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: VersionFile) -> None:
        raise DamagedVersionError("is damaged again")

    with monkeypatch.context() as patch:
        patch.setattr(VersionFile, "check", fail)
        answer = queries.ask("Stores")
    assert answer.status == answer.envelope["statusCode"] == 500
    (line,) = [each for each in caplog.records if "is damaged again" in each.getMessage()]
    assert vars(line)["trace_id"] == answer.envelope["traceId"]
    assert queries.read("Stores?$top=50").ids == IDS


class FailingDisk:
    """Fails as a disk does, at one of the steps of a fetch."""

    def __init__(self, patch: pytest.MonkeyPatch, step: str, code: int) -> None:
        self._error = OSError(code, os.strerror(code))
        target = {"convert": (version_files, "convert_blob"), "lock": (version_cache, "hold_lock")}[step]
        patch.setattr(*target, self._fail)

    def _fail(self, *_: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("step", "code"), [("convert", errno.ENOSPC), ("convert", errno.EIO), ("lock", errno.EROFS), ("lock", errno.EACCES)]
)
def test_a_disk_that_takes_nothing_is_a_503_with_its_reason_in_the_log(
    step: str,
    code: int,
    queries: Queries,
    storage: Storage,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patch:
        FailingDisk(patch, step, code)
        assert queries.read("Stores").ids  # what is on the disk is read as before
        load(storage, stores("new"), "Other")
        other = Queries(queries.server, "Other")
        with caplog.at_level(logging.WARNING):
            answer = other.ask("Stores")
        assert (answer.status, answer.envelope["statusCode"]) == (503, 503)
        assert int(answer.headers["retry-after"]) > 0
        (line,) = [each for each in caplog.records if "cache of versions" in each.getMessage()]
        assert os.strerror(code) in line.getMessage()
        assert vars(line)["trace_id"] == answer.envelope["traceId"]
        assert not list(folder.glob("*.part"))
    assert other.read("Stores").ids == ["new"]


def test_a_folder_that_others_may_write_to_is_not_used(
    queries: Queries, storage: Storage, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.chmod(0o777)
    load(storage, stores("new"))
    assert queries.ask("Stores").status == 503
    assert "belongs to another user" in caplog.text
    folder.chmod(0o700)
    assert queries.read("Stores").ids == ["new"]


def test_a_small_cache_answers_from_more_versions_than_it_holds(
    storage: Storage, querying: StartQuerying, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Source{number}" for number in range(4)]
    for name in names:
        load(storage, stores(name, *IDS), name)
    load(storage, stores("One", *IDS), "One")
    Queries(querying(storage), "One").read("Stores")
    size = int(2.5 * the_file(folder).stat().st_size)
    the_file(folder).unlink()
    monkeypatch.setattr("proxy.api.query_service.MEGABYTE", size / 64)  # 64 of them is the least that is allowed
    server = querying(storage, query_cache_mb=64)
    for _ in range(2):
        for name in names:
            assert Queries(server, name).read(f"Stores('{name}')").ids == [name]
    found = [each.stat().st_size for each in folder.glob("*.arrow")]
    assert len(found) == 2
    assert sum(found) <= size


@pytest.mark.slow
def test_two_processes_that_fetch_the_same_version_share_one_file(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(storage, stores(count=20_000))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Hop.before(storage, "Blob") as hop, ThreadPoolExecutor(8) as pool:
        accounts = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        settings: dict[str, Any] = {"accounts": accounts, "storage_timeout": BUSY_SECONDS}
        with serving(storage, **settings) as one, serving(storage, **settings) as other:
            path = f"data/{Queries.access_id}/{Queries.name}/Stores('s019999')"
            answers = list(pool.map(lambda server: server.get(path), [one, other] * 8))
        assert [(each.status_code, b"s019999" in each.content) for each in answers] == [(200, True)] * 16
        assert hop.reads_of(".parquet") == 1
    (folder,) = tmp_path.glob("spatial-data-proxy-*")
    assert len(list(folder.glob("*.arrow"))) == 1
    assert not list(folder.glob("*.part"))
