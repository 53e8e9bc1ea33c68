"""The client's address comes from X-Forwarded-For only where the settings trust who says it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.api.auth_throttle import BURST, MAX_DELAY_S, PER_SECOND
from proxy.settings import SettingsError, load_settings
from tests.conftest import StartServer
from tests.support.live import LiveServer
from tests.support.storage import Storage

TOO_MANY = BURST + int(MAX_DELAY_S * PER_SECOND) + 40


def guess(server: LiveServer, forwarded: str) -> float:
    """Seconds that a wrong key takes, told to come from an address."""
    started = time.perf_counter()
    url = f"{server.url}/REST/v1/Dataflows/ListJobs?key={time.time_ns()}"
    server.client.get(url, headers={"X-Forwarded-For": forwarded})
    return time.perf_counter() - started


def test_an_untrusted_header_does_not_hide_a_guesser(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    # On a slow machine the allowance grows meanwhile.
    assert any(guess(server, f"10.0.0.{number % 250}") > 0.5 / PER_SECOND for number in range(3 * BURST))


def test_clients_behind_a_trusted_proxy_are_distinct(storage: Storage, start: StartServer) -> None:
    for trusted, statuses in (("127.0.0.0/8", {401}), ("10.0.0.0/8", {401, 503})):
        server = start(storage, trusted_proxies=trusted)

        def guessed(number: int, server: LiveServer = server) -> int:
            url = f"{server.url}/REST/v1/Dataflows/ListJobs?key=wrong-{number}"
            address = f"10.0.0.{number}" + (f":{number}" if number % 2 else "")  # Application Gateway adds the port
            return server.client.get(url, headers={"X-Forwarded-For": address}).status_code

        with ThreadPoolExecutor(TOO_MANY - BURST) as threads:
            assert set(threads.map(guessed, range(TOO_MANY))) == statuses


@pytest.mark.parametrize("value", ["everyone", "10.0.0.0/99", "10.0.0.1, x"])
def test_what_is_no_address_is_a_mistake(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^PROXY_TRUSTED_PROXIES: must be addresses"):
        load_settings(keyring="{}", trusted_proxies=value)
