"""The contract's vectors and bytes over HTTP, of data that load jobs loaded (query-api.md, section 6)."""

import json
from typing import Any

import pytest

from proxy.wire.envelope import DEFAULT_QUERY_COPYRIGHT
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.live import LiveServer
from tests.support.queries import AREAS, DATA, SHOPS, Queries
from tests.support.query_answers import read
from tests.support.storage import Storage

VECTORS = json.loads((DATA / "vectors.json").read_text("utf-8"))
BYTES = json.loads((DATA / "bytes.json").read_text("utf-8"))
CONTENT = {"atom": "application/atom+xml; charset=utf-8", "json": "application/json; charset=utf-8"}
SCRIPT = "text/javascript; charset=utf-8"


def source_of(server: LiveServer, request: str) -> Queries:
    return Queries(server, AREAS if request.lower().startswith("areas") else SHOPS)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['n']}-{vector['note']}")
def test_a_vector_over_http(vector: dict[str, Any], served: LiveServer) -> None:
    request, expected = vector["request"], vector["expect"]
    answer = source_of(served, request).ask(request)
    assert answer.status == expected["status"], answer.body
    if expected["status"] != 200:
        body = answer.body if answer.body.startswith(b"{") else answer.body[answer.body.index(b"(") + 1 : -1]
        assert json.loads(body)["statusCode"] == expected["status"]
        return
    is_script = not answer.body.startswith((b"{", b"<"))
    assert answer.headers["content-type"] == (SCRIPT if is_script else CONTENT[expected["format"]])
    read(answer.body).check(expected)


@pytest.mark.parametrize("case", BYTES, ids=lambda case: case["name"])
def test_an_answer_to_the_byte(case: dict[str, str], samples: Storage, querying: StartQuerying) -> None:
    server = querying(samples, query_copyright=DEFAULT_QUERY_COPYRIGHT.replace("{year}", "2026"))
    body = source_of(server, case["request"]).ask(case["request"]).body.decode()
    before, *parts = case["body"].replace("{guid};id={n}", "{now}").split("{now}")
    assert body.startswith(before)
    at = len(before)
    for part in parts:  # what varies has no markup in it
        start = body.index(part, at)
        assert "<" not in body[at:start]
        at = start + len(part)
    assert at == len(body)
