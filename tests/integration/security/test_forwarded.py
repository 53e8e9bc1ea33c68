"""The client's address comes from X-Forwarded-For only where the settings trust who says it."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest

from proxy.api import auth_throttle
from proxy.api.auth_throttle import BURST, PER_SECOND
from proxy.settings import SettingsError, load_settings
from tests.conftest import StartServer
from tests.support.live import LiveServer, wait_for
from tests.support.storage import Storage


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


def test_clients_behind_a_trusted_proxy_are_distinct(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_throttle, "MAX_DELAY_S", 0.5)
    numbers = count()

    def guess_of(server: LiveServer, number: int) -> int:
        url = f"{server.url}/REST/v1/Dataflows/ListJobs?key=wrong-{next(numbers)}"
        address = f"10.0.0.{number}" + (f":{number}" if number % 2 else "")  # Application Gateway adds the port
        return server.client.get(url, headers={"X-Forwarded-For": address}).status_code

    with ThreadPoolExecutor(50) as threads:
        trusting, other = (start(storage, trusted_proxies=each) for each in ("127.0.0.0/8", "10.0.0.0/8"))
        assert set(threads.map(partial(guess_of, trusting), range(2 * BURST))) == {401}
        # Where the machine stalls, one client may try more meanwhile.
        wait_for(lambda: set(threads.map(partial(guess_of, other), range(2 * BURST))) == {401, 503})


@pytest.mark.parametrize("value", ["everyone", "10.0.0.0/99", "10.0.0.1, x"])
def test_what_is_no_address_is_a_mistake(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^PROXY_TRUSTED_PROXIES: must be addresses"):
        load_settings(keyring="{}", trusted_proxies=value)
