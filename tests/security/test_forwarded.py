"""The client's address comes from X-Forwarded-For only where the settings trust who says it."""

import time

import httpx
import pytest

from proxy.guessing import ALLOWANCE, LONGEST_WAIT, PER_SECOND
from proxy.settings import SettingsError, load_settings
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.storage import Storage

TOO_MANY = ALLOWANCE + int(LONGEST_WAIT * PER_SECOND) + 20


def guess(server: LiveServer, forwarded: str) -> float:
    """Seconds that a wrong key takes, told to come from an address."""
    started = time.perf_counter()
    httpx.get(f"{server.url}/REST/v1/Dataflows/ListJobs?key={time.time_ns()}", headers={"X-Forwarded-For": forwarded})
    return time.perf_counter() - started


def test_an_untrusted_header_does_not_hide_a_guesser(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    seconds = [guess(server, f"10.0.0.{number}") for number in range(2 * ALLOWANCE)]
    assert max(seconds) > 0.5 / PER_SECOND


def test_a_trusted_proxys_clients_are_told_apart(storage: Storage, start: StartServer) -> None:
    server = start(storage, trusted_proxies="127.0.0.0/8")
    started = time.perf_counter()
    for number in range(TOO_MANY):
        guess(server, f"10.0.0.{number}")
    assert time.perf_counter() - started < TOO_MANY / PER_SECOND / 2


@pytest.mark.parametrize("value", ["everyone", "10.0.0.0/99", "10.0.0.1, x"])
def test_what_is_no_address_is_a_mistake(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^PROXY_TRUSTED_PROXIES: must be addresses"):
        load_settings(keyring="{}", trusted_proxies=value)
