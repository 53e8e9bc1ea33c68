"""Files between their arrival and their job: how many there are, and what happens to one that goes."""

import asyncio
from pathlib import Path

import pytest

from proxy.console import sent_files
from proxy.console.errors import PageNotFoundError
from proxy.console.sent_files import SentFile, SentFiles, SentLoad
from proxy.wire.parameters import parse_load_request
from proxy.wire.request import QueryParameters

PARAMETERS = {"datasourcename": "Shops", "loadoperation": "complete", "input": "csv"}
LOAD = SentLoad(
    "contoso", parse_load_request(QueryParameters(key=None, output="", parameters=PARAMETERS)), None, None, "shops.csv"
)


async def _add(files: SentFiles, session: str) -> SentFile:
    return await files.add(session, LOAD, files.make_folder(), 1)


def test_of_files_that_come_at_once_a_session_has_one(tmp_path: Path) -> None:
    async def send() -> None:
        files = SentFiles(tmp_path)
        await _add(files, "a")
        await asyncio.gather(_add(files, "a"), _add(files, "a"))

    asyncio.run(send())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_went_before_it_was_read_is_tidied_in_silence(tmp_path: Path) -> None:
    async def send() -> None:
        file = await _add(SentFiles(tmp_path), "a")
        file.delete()
        file.tidy()

    asyncio.run(send())


def test_a_file_is_kept_while_its_job_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_files, "KEPT_SECONDS", 0.01)
    monkeypatch.setattr(sent_files, "TURN_SECONDS", 0.01)

    async def story() -> None:
        files = SentFiles(tmp_path)
        sent = await _add(files, "session")
        sent.is_sending = True
        await asyncio.sleep(0.1)
        assert files.find(sent.id, "session") is sent
        sent.is_sending = False
        async with asyncio.timeout(60):
            while sent.folder.exists():  # noqa: ASYNC110 - the folder tells nobody
                await asyncio.sleep(0.01)
        with pytest.raises(PageNotFoundError):
            files.find(sent.id, "session")

    asyncio.run(story())
