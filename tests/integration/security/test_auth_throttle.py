"""Guessing keys is slow, and only guessing is. The clock is the test's own."""

import time
from concurrent.futures import ThreadPoolExecutor

from proxy.api.auth_throttle import ADDRESSES, ALLOWANCE, KEYS, LONGEST_WAIT, PER_SECOND, AuthThrottle
from tests.conftest import StartServer
from tests.support.live import MASTER
from tests.support.storage import Storage


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(number: int) -> bytes:
    return b"%032d" % number


def test_a_few_wrong_keys_cost_nothing() -> None:
    guessing = AuthThrottle(Clock())
    assert [guessing.delay("10.0.0.1", key(number)) for number in range(ALLOWANCE)] == [0.0] * ALLOWANCE


def test_then_each_further_key_waits_longer_and_the_rest_is_turned_away() -> None:
    guessing = AuthThrottle(Clock())
    waits = [guessing.delay("10.0.0.1", key(number)) for number in range(1000)]
    allowed = [wait for wait in waits if wait is not None]
    assert allowed == sorted(allowed)
    assert max(allowed) <= LONGEST_WAIT
    assert len(allowed) == ALLOWANCE + LONGEST_WAIT * PER_SECOND


def test_an_hour_of_guessing_tries_few_keys_a_second() -> None:
    clock = Clock()
    guessing = AuthThrottle(clock)
    tried = 0
    for number in range(3600 * 40):
        tried += guessing.delay("10.0.0.1", key(number)) is not None
        clock.now += 0.025
    assert tried <= 3600 * PER_SECOND + ALLOWANCE + LONGEST_WAIT * PER_SECOND


def test_a_right_guess_waits_as_long_as_a_wrong_one() -> None:
    guessing = AuthThrottle(Clock())
    for number in range(ALLOWANCE + 4):
        guessing.delay("10.0.0.1", key(number))
    wait = guessing.delay("10.0.0.1", key(-1))
    assert wait is not None
    assert wait > 0


def test_good_keys_behind_the_same_address_never_wait() -> None:
    guessing = AuthThrottle(Clock())
    for number in range(1000, 6000):
        assert guessing.delay("10.0.0.1", key(number)) == 0.0
        guessing.record_success("10.0.0.1", key(number))
    for number in range(1000):
        guessing.delay("10.0.0.1", key(number))
    assert all(guessing.delay("10.0.0.1", key(number)) == 0.0 for number in range(1000, 6000))
    assert guessing.delay("10.0.0.2", key(0)) == 0.0


def test_an_ipv6_customer_is_one_address() -> None:
    guessing = AuthThrottle(Clock())
    waits = [guessing.delay(f"2001:db8::{number:x}", key(number)) for number in range(1000)]
    assert waits[-1] is None
    assert guessing.delay("2001:db8:0:1::1", key(0)) == 0.0
    assert guessing.delay("::ffff:10.0.0.1", key(0)) == 0.0
    assert guessing.delay("not an address", key(0)) == 0.0


def test_what_is_remembered_is_bounded() -> None:
    guessing = AuthThrottle(Clock())
    for number in range(ADDRESSES + 100):
        guessing.delay(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", key(number))
    for number in range(KEYS + 100):
        guessing.record_success("10.0.0.1", key(number))
    assert guessing.remembered == (ADDRESSES, KEYS)


def test_over_http_a_guesser_is_slowed_and_a_good_client_is_not(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    assert server.get("Dataflows/ListJobs", MASTER).status_code == 200
    started = time.perf_counter()
    codes = [server.get("Dataflows/ListJobs", f"guess-{number}").status_code for number in range(ALLOWANCE + 3)]
    seconds = time.perf_counter() - started
    assert codes == [401] * (ALLOWANCE + 3)
    assert seconds > 3 / PER_SECOND * 0.5
    took = []
    for _ in range(5):
        started = time.perf_counter()
        assert server.get("Dataflows/ListJobs", MASTER).status_code == 200
        took.append(time.perf_counter() - started)
    assert min(took) < 1 / PER_SECOND


def test_over_http_a_flood_is_turned_away_with_an_envelope(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    flood = int(ALLOWANCE + LONGEST_WAIT * PER_SECOND + 60)
    with ThreadPoolExecutor(flood) as pool:
        answers = list(pool.map(lambda number: server.get("Dataflows/ListJobs", f"flood-{number}"), range(flood)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {401, 503}
    assert {answer.json()["authenticationResultCode"] for answer in refused} == {"None"}
    assert all(answer.headers["Retry-After"] for answer in refused)


def test_one_wrong_key_again_and_again_is_no_guessing(storage: Storage, start: StartServer) -> None:
    # A program with a retired key goes on polling.
    server = start(storage)
    started = time.perf_counter()
    codes = {server.get("Dataflows/ListJobs", "retired").status_code for _ in range(2 * ALLOWANCE)}
    assert codes == {401}
    assert time.perf_counter() - started < 2 * ALLOWANCE / PER_SECOND / 2


def test_a_good_key_that_an_address_has_not_used_waits_its_turn_while_somebody_guesses() -> None:
    clock = Clock()
    guessing = AuthThrottle(clock)
    for number in range(1000):
        guessing.delay("10.0.0.1", key(number))
    assert guessing.delay("10.0.0.1", key(-1)) is None
    clock.now += 1
    wait = guessing.delay("10.0.0.1", key(-1))
    assert wait is not None
    assert 0 < wait <= LONGEST_WAIT
