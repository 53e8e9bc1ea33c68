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
from tests.support.live import NO_TLS, LiveServer
from tests.support.storage import Storage

SECONDS = 5.0
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


def flood(server: LiveServer, addresses: int) -> tuple[float, set[int], set[int]]:
    """Guesses from so many addresses; gives the seconds, and the statuses of the guesses and of the known key."""
    numbers, end = count(), time.monotonic() + SECONDS
    guesses, known = set[int](), set[int]()

    def guess(_: int) -> None:
        # A client for each thread: in a shared pool a thread may close the connection that another one takes.
        with httpx.Client(timeout=30, verify=NO_TLS) as client:
            while time.monotonic() < end:
                number = next(numbers)
                address = number % addresses
                network = f"10.0.{address // 250}.{address % 250}"
                guesses.add(ask(server, f"guess-{number}", network, client).status_code)
                if number % 10 == 0:
                    known.add(ask(server, KNOWN, "192.0.2.1", client).status_code)

    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(guess, range(THREADS)))
    return time.monotonic() - started, guesses, known


@pytest.mark.slow
def test_guesses_of_one_address_read_the_store_ten_times_a_second(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1")
    assert ask(server, KNOWN, "192.0.2.1").status_code == 200
    for number in range(BURST):
        assert ask(server, f"first-{number}", "10.0.0.0").status_code in {401, 503}
    before = keys.key_reads
    seconds, guesses, known = flood(server, 1)
    assert keys.key_reads - before <= PER_SECOND * seconds + 5
    assert keys.key_reads - before >= PER_SECOND * seconds / 2  # it is a limit, and no wall
    assert guesses == {401, 503}
    assert known == {200}


@pytest.mark.slow
def test_guesses_of_many_addresses_read_the_store_fifty_times_a_second(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1")
    assert ask(server, KNOWN, "192.0.2.1").status_code == 200
    before, looked = len(keys.hop.asked), keys.reads_of(KNOWN)
    seconds, guesses, known = flood(server, ADDRESSES)
    at = [each.at for each in keys.hop.asked[before:] if "changes" not in each.target]
    in_a_second = max(sum(first <= each < first + 1 for each in at) for first in at)
    assert in_a_second <= MAX_MISSES * 1.1  # some come later than they were sent
    assert len(at) <= MAX_MISSES * (seconds + 1)
    assert guesses == {401, 503}
    assert known == {200}
    assert keys.reads_of(KNOWN) == looked


def test_a_store_that_does_not_answer_takes_no_tries_from_a_client(
    storage: Storage, keys: KeyRows, start: StartServer
) -> None:
    server = start(storage, **keys.settings, trusted_proxies="127.0.0.1", storage_timeout=1)
    keys.hop.mode = Mode.REFUSE
    for number in range(2 * BURST):
        assert ask(server, f"guess-{number}", "10.0.0.0").status_code == 503
    keys.hop.mode = Mode.WELL
    end = time.monotonic() + 7
    while (answer := ask(server, KNOWN, "10.0.0.0")).status_code != 200:
        assert time.monotonic() < end, answer.text
    started = time.monotonic()
    assert ask(server, "another guess", "10.0.0.0").status_code == 401
    assert time.monotonic() - started < 2.0
