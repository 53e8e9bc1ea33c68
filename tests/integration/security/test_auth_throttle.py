"""Guessing keys is slow over HTTP too. The throttle's own tests are in tests/unit/api."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from proxy.api import auth_throttle
from proxy.api.auth_throttle import BURST, PER_SECOND
from tests.conftest import StartServer
from tests.support.live import MASTER, wait_for
from tests.support.storage import Storage


def test_over_http_a_guesser_is_slowed_and_a_good_client_is_not(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    assert server.get("Dataflows/ListJobs", MASTER).status_code == 200
    started = time.perf_counter()
    codes = [server.get("Dataflows/ListJobs", f"guess-{number}").status_code for number in range(BURST + 3)]
    seconds = time.perf_counter() - started
    assert codes == [401] * (BURST + 3)
    assert seconds > 3 / PER_SECOND * 0.5
    assert server.get("Dataflows/ListJobs", MASTER).status_code == 200


def test_over_http_a_flood_is_turned_away_with_an_envelope(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_throttle, "MAX_DELAY_S", 0.5)
    server, numbers = start(storage), count()
    refused: list[httpx.Response] = []

    def guess(_: int) -> int:
        answer = server.get("Dataflows/ListJobs", f"flood-{next(numbers)}")
        if answer.status_code == 503:
            refused.append(answer)
        return answer.status_code

    with ThreadPoolExecutor(BURST) as pool:
        # Where the machine stalls, the client may try more meanwhile.
        wait_for(lambda: set(pool.map(guess, range(2 * BURST))) == {401, 503})
    assert {answer.json()["authenticationResultCode"] for answer in refused} == {"None"}
    assert all(answer.headers["Retry-After"] for answer in refused)
