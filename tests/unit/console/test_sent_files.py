"""Files that operators have sent, as they expire."""

import asyncio
from pathlib import Path

import pytest

from proxy.console import sent_files
from proxy.console.errors import PageNotFoundError
from proxy.console.sent_files import SentFiles, SentLoad
from proxy.wire.parameters import parse_load_request
from proxy.wire.request import QueryParameters

PARAMETERS = {"datasourcename": "Shops", "loadoperation": "complete", "input": "csv"}


def test_a_file_is_kept_while_its_job_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_files, "KEPT_SECONDS", 0.01)
    monkeypatch.setattr(sent_files, "TURN_SECONDS", 0.01)
    request = parse_load_request(QueryParameters(key=None, output="", parameters=PARAMETERS))

    async def story() -> None:
        files = SentFiles(tmp_path)
        sent = await files.add("session", SentLoad("a", request, None, None, "shops.csv"), files.make_folder(), 1)
        sent.is_sending = True
        await asyncio.sleep(0.1)
        assert files.find(sent.id, "session") is sent
        sent.is_sending = False
        async with asyncio.timeout(20):
            while sent.folder.exists():  # noqa: ASYNC110 - the folder tells nobody
                await asyncio.sleep(0.01)
        with pytest.raises(PageNotFoundError):
            files.find(sent.id, "session")

    asyncio.run(story())
