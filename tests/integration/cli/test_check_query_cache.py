"""`check` of the folder of the query cache, and of the versions that it keeps."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.blobs.store import VERSIONS, BlobStore
from adapters.errors import StorageError, StorageErrorCode
from tests.integration.cli.conftest import Run
from tests.support.storage import Storage


def test_whether_versions_may_be_read_and_kept_is_said_where_queries_are_answered(
    run: Run, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(blobs: BlobStore, container: str) -> bool:
        if container == VERSIONS:
            raise StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403")
        return await has_container(blobs, container)

    has_container = BlobStore.has_container
    monkeypatch.setattr(BlobStore, "has_container", refuse)
    folder = tmp_path / "cache"
    monkeypatch.setattr("proxy.operations.query_cache_check.default_folder", lambda: folder)
    refused = run("check")
    assert refused.status == 1
    assert refused.out.startswith(f"broken {storage.account}: ")
    assert "may not read the container datasources; give it Storage Blob Data Reader there" in refused.out
    assert re.fullmatch(rf"ok     query cache: {folder} has room for [\d,]+ MB.*", refused.out.splitlines()[-1])
    monkeypatch.setenv("PROXY_QUERIES", "false")
    outcome = run("check")
    assert outcome.status == 0
    assert "quer" not in outcome.out


@pytest.mark.parametrize("trouble", ["a file", "open to others"])
def test_a_folder_that_takes_no_versions_is_a_fault(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    folder = tmp_path / "cache"
    if trouble == "a file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)
    monkeypatch.setattr("proxy.operations.query_cache_check.default_folder", lambda: folder)
    outcome = run("check")
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1].startswith(f"broken query cache: {folder} can't be used: ")


def test_a_version_that_a_server_deletes_meanwhile_is_no_fault(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (folder / "deleted").symlink_to("nowhere")  # is listed, and has no size
    monkeypatch.setattr("proxy.operations.query_cache_check.default_folder", lambda: folder)
    outcome = run("check")
    assert (outcome.status, outcome.out.splitlines()[-1].partition(" has room")[0]) == (
        0,
        f"ok     query cache: {folder}",
    )


def test_too_little_room_for_versions_is_reported_and_is_no_fault(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setattr("proxy.operations.query_cache_check.default_folder", lambda: folder)
    monkeypatch.setenv("PROXY_QUERY_CACHE_MB", "1000000")
    for free, advice in ((3000, "lower PROXY_QUERY_CACHE_MB to 1,976"), (500, "lower PROXY_QUERY_CACHE_MB")):
        usage = SimpleNamespace(free=free * 1024**2)
        monkeypatch.setattr("proxy.operations.query_cache_check.shutil.disk_usage", lambda _, usage=usage: usage)
        outcome = run("check")
        assert outcome.status == 0
        text = f"ok     query cache: {folder} has room for {free:,} MB of 1,001,024: enlarge the disk, or {advice}"
        assert outcome.out.splitlines()[-1] == text
