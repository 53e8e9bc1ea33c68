"""Files between their arrival and their job: how many there are, and what happens to one that goes."""

import asyncio
from pathlib import Path

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
