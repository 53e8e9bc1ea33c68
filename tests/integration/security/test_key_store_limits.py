"""How often guesses reach the key store: the figures of the keys contract, section 5."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from proxy.api.auth_throttle import BURST, PER_SECOND
from proxy.keyring.miss_limiter import MAX_MISSES
from tests.conftest import StartServer
from tests.support.fault_proxy import Mode
from tests.support.key_rows import KeyRows
from tests.support.live import NO_TLS, LiveServer, wait_for
from tests.support.storage import Storage

SECONDS = 2.0
MOST_SECONDS = 60.0
DEADLINE = 20.0
"""Of storage: no stall of the machine reaches it, so no read is repeated."""

THREADS = 32
ADDRESSES = 500
KNOWN = "known-key"


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """A key store with one key."""
    with KeyRows.open(storage) as opened:
        opened.write(KNOWN)
        yield opened


def ask(server: LiveServer, key: str, address: str, client: httpx.Client | None = None) -> httpx.Response:
    url = f"{server.url}/REST/v1/Dataflows/ListJobs"
    return (client or server.client).get(url, params={"key": key}, headers={"X-Forwarded-For": address})


def flood(server: LiveServer, addresses: int) -> set[int]:
    """Guesses from so many addresses until some are refused; gives the statuses of the known key meanwhile."""
    numbers, started = count(), time.monotonic()
    guesses, known = set[int](), set[int]()

    def goes_on() -> bool:
        seconds = time.monotonic() - started
        return seconds < SECONDS or (guesses != {401, 503} and seconds < MOST_SECONDS)

    def guess(_: int) -> None:
        # A client for each thread: in a shared pool a thread may close the connection that another one takes.
        with httpx.Client(timeout=60, verify=NO_TLS) as client:
            while goes_on():
                number = next(numbers)
                address = number % addresses
                network = f"10.0.{address // 250}.{address % 250}"
                guesses.add(ask(server, f"guess-{number}", network, client).status_code)
                if number % 10 == 0:
                    known.add(ask(server, KNOWN, "192.0.2.1", client).status_code)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(guess, range(THREADS)))
    assert guesses == {401, 503}
    return known


@pytest.mark.slow
def test_guesses_of_one_address_read_the_store_ten_times_a_second(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1", storage_timeout=DEADLINE)
    wait_for(lambda: ask(server, KNOWN, "192.0.2.1").status_code == 200)
    before, started = keys.key_reads, time.monotonic()
    for number in range(BURST):
        assert ask(server, f"first-{number}", "10.0.0.0").status_code in {401, 503}
    at_first = keys.key_reads
    known = flood(server, 1)
    assert keys.key_reads - before <= BURST + PER_SECOND * (time.monotonic() - started) + 5
    assert keys.key_reads - at_first >= PER_SECOND  # it is a limit, and no wall
    assert known == {200}


@pytest.mark.slow
def test_guesses_of_many_addresses_read_the_store_fifty_times_a_second(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1", storage_timeout=DEADLINE)
    wait_for(lambda: ask(server, KNOWN, "192.0.2.1").status_code == 200)
    before, looked, started = keys.key_reads, keys.reads_of(KNOWN), time.monotonic()
    known = flood(server, ADDRESSES)
    # tests/unit/keyring/test_miss_limiter.py looks at each second.
    assert keys.key_reads - before <= MAX_MISSES * (time.monotonic() - started + 1)
    assert known == {200}
    assert keys.reads_of(KNOWN) == looked


def test_a_store_that_does_not_answer_takes_no_tries_from_a_client(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1", storage_timeout=DEADLINE)
    keys.hop.mode = Mode.REFUSE
    for number in range(3 * BURST):
        assert ask(server, f"guess-{number}", "10.0.0.0").status_code == 503
    keys.hop.mode = Mode.WELL

    def answered(key: str, status: int) -> bool:
        """Whether it is; until then the store is what can't be asked, and the client has not tried too much."""
        answer = ask(server, key, "10.0.0.0")
        assert answer.status_code == status or "Keys can't be checked" in answer.text, answer.text
        return answer.status_code == status

    wait_for(lambda: answered(KNOWN, 200))
    wait_for(lambda: answered("another guess", 401))
