"""Any text in the place of an id or a name finds its own job, or is told that there is none."""

import json
import re
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.tables.row_keys import download_alias, is_valid_key, legacy_alias
from proxy.text import strip_invalid_xml
from proxy.wire.request import Format
from tests.support.any_answer import Answer, assert_envelope, exchange, split
from tests.support.key_strategies import neighbours, texts
from tests.support.live import MASTER, LiveServer
from tests.support.request_strategies import request
from tests.support.storage import Storage

NAME = re.compile(r"[A-Za-z0-9~`!$^_={}]{1,50}", re.ASCII)


def _ask(server: LiveServer, kind: str, segment: bytes) -> Answer:
    target = b"/REST/v1/Dataflows/" + kind.encode() + b"/" + segment + b"?key=" + MASTER.encode()
    (answer,) = split(exchange(server.port, request(b"GET", target, [])))
    assert assert_envelope(answer) is Format.JSON
    return answer


def _description(answer: Answer) -> str:
    (job,) = json.loads(answer.body)["resourceSets"][0]["resources"]
    return str(job["description"])


def _imported(storage: Storage, legacy_id: str) -> str:
    """Writes a job that had this id at Bing; gives the description that it is known by."""
    mark = f"job {legacy_id}"
    storage.alias(legacy_alias(legacy_id), storage.job(LegacyId=legacy_id, Description=mark))
    return strip_invalid_xml(mark)


def _download(storage: Storage, name: str) -> str:
    """Writes a data source's newest download; gives the description that it is known by."""
    mark = f"download {name}"
    row_key = storage.job("DataSourceDownload", DataSourceName=name, Description=mark)
    storage.alias(download_alias(name), row_key)
    return strip_invalid_xml(mark)


@settings(max_examples=40)
@given(text=texts)
def test_any_id_finds_its_own_job_or_nothing(shared_storage: Storage, shared_server: LiveServer, text: str) -> None:
    for other in neighbours(text):
        _imported(shared_storage, other)
    segment = quote(text, safe="").encode()
    if is_valid_key(legacy_alias(text)):
        mark = _imported(shared_storage, text)
        answer = _ask(shared_server, "LoadDataSource", segment)
        assert (answer.status, _description(answer)) == (200, mark)
    else:
        assert _ask(shared_server, "LoadDataSource", segment).status == 404


@settings(max_examples=40)
@given(text=texts | st.from_regex(NAME, fullmatch=True))
@example("~`!$^_={}")
def test_any_name_finds_its_own_download_or_is_refused(
    shared_storage: Storage, shared_server: LiveServer, text: str
) -> None:
    for other in neighbours(text):
        _download(shared_storage, other)
    encoded = quote(text, safe="").encode()
    if NAME.fullmatch(text):
        mark = _download(shared_storage, text)
        for segment in (encoded, text.encode()):
            answer = _ask(shared_server, "DataSourceDownload", segment)
            assert (answer.status, _description(answer)) == (200, mark)
    else:
        if is_valid_key(download_alias(text)):
            _download(shared_storage, text)
        assert _ask(shared_server, "DataSourceDownload", encoded).status == 400
