"""wire-contract.md, section 2: what is the same in every answer of a running server."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.live import NO_TLS, WAIT_SECONDS, LiveServer
from tests.support.storage import Storage


def test_a_trace_id_is_new_for_every_answer_and_in_the_log(proxy: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    found = []
    for asked in ("Dataflows/ListJobs", "Dataflows/ListJobs", "Dataflows/Geocode/none", "nowhere"):
        trace_id = proxy.json(asked)["traceId"]
        assert re.fullmatch("[0-9a-f]{32}", trace_id)
        assert trace_id in {record.__dict__.get("trace_id") for record in caplog.records}
        found.append(trace_id)
    assert len(set(found)) == len(found)


def test_the_texts_of_the_envelope_are_settings(account: Storage, proxy: LiveServer, start: StartServer) -> None:
    usual = proxy.json("Dataflows/ListJobs")
    assert usual["copyright"].startswith(f"Copyright © {datetime.now(UTC).year} Microsoft and its suppliers.")
    assert usual["brandLogoUri"] == "http://spatial.virtualearth.net/Branding/logo_powered_by.png"
    server = start(account, copyright="© Contoso <&> {year}", brand_logo_url="https://contoso.example/a?b&c")
    envelope = server.json("Dataflows/ListJobs")
    assert envelope["copyright"] == f"© Contoso <&> {datetime.now(UTC).year}"
    assert envelope["brandLogoUri"] == "https://contoso.example/a?b&c"
    assert server.xml("Dataflows/ListJobs").findtext("{*}BrandLogoUri") == "https://contoso.example/a?b&c"


def test_responses_are_not_compressed(proxy: LiveServer) -> None:
    with httpx.Client(timeout=WAIT_SECONDS, verify=NO_TLS) as client:
        del client.headers["accept-encoding"]
        response = client.get(f"{proxy.url}/REST/v1/Dataflows/ListJobs?key=master-key")
        assert "content-encoding" not in response.headers
        assert response.content.startswith(b'{"authenticationResultCode"')
