"""wire-contract.md, section 1: a header that asks for another protocol is answered as if it were not there."""

import pytest

from tests.support.live import LiveServer
from tests.support.raw_http import connection, get, target
from tests.support.storage import Storage

# What Java's HttpClient sends with its first request, and what a browser sends for a web socket.
H2C = (
    "Connection: Upgrade, HTTP2-Settings",
    "Content-Length: 0",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    "Upgrade: h2c",
    "User-Agent: Java-http-client/17.0.1",
)
WEB_SOCKET = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
UPGRADES = {
    "h2c": H2C,
    "web socket": WEB_SOCKET,
    "TLS": ("Connection: Upgrade", "Upgrade: TLS/1.2"),
    "not in Connection": ("Upgrade: h2c",),
    "no protocol": ("Connection: upgrade", "Upgrade: "),
}


@pytest.mark.parametrize("headers", UPGRADES.values(), ids=UPGRADES.keys())
def test_an_upgrade_keeps_the_http_connection(headers: tuple[str, ...], proxy: LiveServer, account: Storage) -> None:
    first, second = (target(f"Dataflows/LoadDataSource/{account.job()}") for _ in range(2))
    with connection(proxy) as opened:
        for asked in (first, second, first):
            answer = opened.ask(get(asked, *headers))
            assert answer.status == 200
            assert answer.envelope["resourceSets"][0]["resources"][0]["id"] in asked
            assert "upgrade" not in answer.headers
        assert opened.ask(get(second)).status == 200


@pytest.mark.parametrize("headers", UPGRADES.values(), ids=UPGRADES.keys())
def test_pipelined_requests_behind_an_upgrade_are_in_order(
    headers: tuple[str, ...], proxy: LiveServer, account: Storage
) -> None:
    ids = [account.job() for _ in range(4)]
    sent = b"".join(get(target(f"Dataflows/LoadDataSource/{job_id}"), *headers) for job_id in ids)
    with connection(proxy) as opened:
        # Cut where it hurts: amid the second request.
        opened.send(sent[: len(sent) // 3], sent[len(sent) // 3 :])
        answers = [opened.answer() for _ in ids]
    assert [answer.envelope["resourceSets"][0]["resources"][0]["id"] for answer in answers] == ids


def test_an_upgrade_with_a_body_and_a_close_is_answered(proxy: LiveServer) -> None:
    headers = ("Connection: Upgrade, close", "Upgrade: h2c", "Content-Length: 5")
    with connection(proxy) as opened:
        answer = opened.ask(get(target("Dataflows/ListJobs"), *headers), b"hello")
        assert answer.status == 200
        assert opened.is_ended()
