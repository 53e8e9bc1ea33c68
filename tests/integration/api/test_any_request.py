"""Any request ends in an envelope: in the format it asked for, with a status of the contract."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.wire.request import Format
from proxy.wire.service_document import ATOM_CONTENT
from tests.support.any_answer import Answer, assert_envelope, exchange, split
from tests.support.live import MASTER, LiveServer
from tests.support.request_strategies import (
    KEYS,
    Parameters,
    any_paths,
    headers,
    known_paths,
    methods,
    parameters,
    request,
)
from tests.support.storage import Storage

GEOCODE_ID, DOWNLOAD_NAME = "01900000000070008000000000000001", "FourthCoffee"
TRUE_PATHS = (
    "Dataflows/ListJobs",
    f"Dataflows/Geocode/{GEOCODE_ID}",
    f"dataflows/GEOCODE/{GEOCODE_ID}/OUTPUT/Succeeded",
    f"dataflows/listjobs/{GEOCODE_ID}/output/succeeded",
    f"Dataflows/DataSourceDownload/{DOWNLOAD_NAME.lower()}",
    f"Dataflows/Download/{DOWNLOAD_NAME}/output/failed",
)
STATUSES = {200, 400, 401, 404, 405}

Headers = list[tuple[bytes, bytes]]


@pytest.fixture(scope="module", autouse=True)
def _jobs(shared_storage: Storage) -> None:
    shared_storage.job("Geocode", RowKey=GEOCODE_ID, OutputBlob="exports/a.xml")
    shared_storage.download(DOWNLOAD_NAME, OutputBlob="exports/b.xml", FailedBlob="exports/b.log")


def _ask(server: LiveServer, data: bytes, *, bodies: bool = True) -> Answer:
    (answer,) = split(exchange(server.port, data), bodies=bodies)
    return answer


def _judge(answer: Answer, query: Parameters) -> None:
    if answer.status == 302:
        assert answer.body == b""
        assert answer.headers["location"].startswith("http")
        return
    assert answer.status in STATUSES
    if answer.headers["content-type"] == ATOM_CONTENT:  # /REST/v1/data has been met
        assert answer.status == 200
        return
    assert assert_envelope(answer) is query.format


OUTPUT_PATH = f"/REST/v1/{TRUE_PATHS[2]}".encode()
WITH_MASTER = Parameters(b"key=master-key&o=xml", MASTER.encode(), Format.XML)


@settings(max_examples=250)
@given(path=known_paths(TRUE_PATHS), query=parameters(), fields=headers)
@example(path=OUTPUT_PATH, query=WITH_MASTER, fields=[(b"Host", b"elsewhere.example/x?y#z")])
def test_a_known_path_ends_in_the_requested_format(
    shared_server: LiveServer, path: bytes, query: Parameters, fields: Headers
) -> None:
    answer = _ask(shared_server, request(b"GET", path + b"?" + query.query, fields))
    _judge(answer, query)
    # A path that the reference has changed may not exist; where it does, the key comes first.
    if query.key not in KEYS:
        assert answer.status in {401, 404, 405}
        assert b"ValidCredentials" not in answer.body


@settings(max_examples=250)
@given(path=any_paths, query=parameters(), fields=headers)
def test_any_path_ends_in_an_envelope(
    shared_server: LiveServer, path: bytes, query: Parameters, fields: Headers
) -> None:
    _judge(_ask(shared_server, request(b"GET", path + b"?" + query.query, fields)), query)


@settings(max_examples=200)
@given(method=methods, path=known_paths(TRUE_PATHS) | any_paths, query=parameters())
def test_any_method_ends_in_an_envelope(
    shared_server: LiveServer, method: bytes, path: bytes, query: Parameters
) -> None:
    data = request(method, path + b"?" + query.query, [])
    answer = _ask(shared_server, data, bodies=method not in {b"HEAD", b"OPTIONS"})
    if method == b"OPTIONS":  # a browser's preflight, which no key is asked for
        assert (answer.status, answer.body) == (204, b"")
    elif method == b"HEAD":
        assert answer.body == b""
        assert answer.status in {*STATUSES, 302}
    else:
        _judge(answer, query)
        if method != b"GET":
            # What creates or deletes looks at the key, and at what is asked for.
            assert answer.status in ({400, 401, 404, 405} if method in {b"POST", b"DELETE"} else {404, 405})


@settings(max_examples=200)
@given(target=st.binary(max_size=60).map(lambda data: data.replace(b" ", b"").replace(b"\n", b"")))
def test_any_bytes_in_a_target_end_in_an_envelope(shared_server: LiveServer, target: bytes) -> None:
    answer = _ask(shared_server, request(b"GET", b"/" + target, []))
    assert answer.status in STATUSES
    assert_envelope(answer)
