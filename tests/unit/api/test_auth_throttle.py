"""Guessing keys is slow, and only guessing is. The clock is the test's own."""

from proxy.api.auth_throttle import BURST, MAX_DELAY_S, MAX_KEYS, MAX_NETWORKS, PER_SECOND, AuthThrottle


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(number: int) -> bytes:
    return b"%032d" % number


def test_a_few_wrong_keys_cost_nothing() -> None:
    throttle = AuthThrottle(Clock())
    assert [throttle.delay("10.0.0.1", key(number)) for number in range(BURST)] == [0.0] * BURST


def test_further_keys_wait_longer_until_they_are_refused() -> None:
    throttle = AuthThrottle(Clock())
    waits = [throttle.delay("10.0.0.1", key(number)) for number in range(1000)]
    allowed = [wait for wait in waits if wait is not None]
    assert allowed == sorted(allowed)
    assert max(allowed) <= MAX_DELAY_S
    assert len(allowed) == BURST + MAX_DELAY_S * PER_SECOND


def test_an_hour_of_throttle_tries_few_keys_a_second() -> None:
    clock = Clock()
    throttle = AuthThrottle(clock)
    tried = 0
    for number in range(3600 * 40):
        tried += throttle.delay("10.0.0.1", key(number)) is not None
        clock.now += 0.025
    assert tried <= 3600 * PER_SECOND + BURST + MAX_DELAY_S * PER_SECOND


def test_a_right_guess_waits_as_long_as_a_wrong_one() -> None:
    throttle = AuthThrottle(Clock())
    for number in range(BURST + 4):
        throttle.delay("10.0.0.1", key(number))
    wait = throttle.delay("10.0.0.1", key(-1))
    assert wait is not None
    assert wait > 0


def test_good_keys_behind_the_same_address_never_wait() -> None:
    throttle = AuthThrottle(Clock())
    for number in range(1000, 6000):
        assert throttle.delay("10.0.0.1", key(number)) == 0.0
        throttle.record_success("10.0.0.1", key(number))
    for number in range(1000):
        throttle.delay("10.0.0.1", key(number))
    assert all(throttle.delay("10.0.0.1", key(number)) == 0.0 for number in range(1000, 6000))
    assert throttle.delay("10.0.0.2", key(0)) == 0.0


def test_keys_that_could_not_be_looked_up_cost_nothing() -> None:
    throttle = AuthThrottle(Clock())
    for number in range(10 * BURST):
        assert throttle.delay("10.0.0.1", key(number)) == 0.0
        throttle.record_no_answer("10.0.0.1", key(number))


def test_a_known_key_that_could_not_be_looked_up_buys_no_tries() -> None:
    throttle = AuthThrottle(Clock())
    throttle.delay("10.0.0.1", key(0))
    throttle.record_success("10.0.0.1", key(0))
    for number in range(1, BURST + 2):
        throttle.delay("10.0.0.1", key(number))
        throttle.delay("10.0.0.1", key(0))
        throttle.record_no_answer("10.0.0.1", key(0))
    assert throttle.delay("10.0.0.1", key(-1)) != 0.0


def test_an_ipv6_customer_is_one_address() -> None:
    throttle = AuthThrottle(Clock())
    waits = [throttle.delay(f"2001:db8::{number:x}", key(number)) for number in range(1000)]
    assert waits[-1] is None
    assert throttle.delay("2001:db8:0:1::1", key(0)) == 0.0
    assert throttle.delay("::ffff:10.0.0.1", key(0)) == 0.0
    assert throttle.delay("not an address", key(0)) == 0.0


def test_what_is_remembered_is_bounded() -> None:
    throttle = AuthThrottle(Clock())
    for number in range(MAX_NETWORKS + 100):
        throttle.delay(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", key(number))
    for number in range(MAX_KEYS + 100):
        throttle.record_success("10.0.0.1", key(number))
    assert throttle.remembered == (MAX_NETWORKS, MAX_KEYS)


def test_a_new_valid_key_waits_while_another_client_guesses() -> None:
    clock = Clock()
    throttle = AuthThrottle(clock)
    for number in range(1000):
        throttle.delay("10.0.0.1", key(number))
    assert throttle.delay("10.0.0.1", key(-1)) is None
    clock.now += 1
    wait = throttle.delay("10.0.0.1", key(-1))
    assert wait is not None
    assert 0 < wait <= MAX_DELAY_S


def test_a_wrong_key_again_and_again_never_waits() -> None:
    throttle = AuthThrottle(Clock())  # a program with a retired key goes on polling
    throttle.delay("10.0.0.1", key(0))
    throttle.record_failure("10.0.0.1", key(0))
    for number in range(1, 1000):
        throttle.delay("10.0.0.1", key(number))
    assert throttle.delay("10.0.0.1", key(0)) == 0.0
