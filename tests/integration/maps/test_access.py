"""Keys and tokens: where they go, and what becomes of a call that is refused (J1, J2)."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken

from adapters.credentials.config import Identity, IdentityKind, MapsEntry
from adapters.credentials.table_auth import TOKEN_MARGIN
from adapters.maps.access import TOKEN_SECONDS, TokenAccess, open_access
from adapters.maps.connection import DEADLINE
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.options import MapsOptions, open_maps
from proxy.demo.maps.stand_in import CLIENT_ID, KEY, MapsStandIn
from tests.integration.maps.conftest import client_of, towns
from tests.support.entra import HEADER, Entra, make_certificate, start_entra

pytestmark = pytest.mark.anyio

VARIABLE = "MAPS_TEST_KEY"
BY_IDENTITY = MapsEntry(None, CLIENT_ID, Identity(IdentityKind.MANAGED_IDENTITY))


@pytest.fixture
def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entra]:
    """A managed identity's endpoint."""
    with start_entra(make_certificate(tmp_path)) as entra:
        monkeypatch.setenv("IDENTITY_ENDPOINT", entra.managed_identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield entra


async def test_a_subscription_key_is_sent_in_a_header(maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    client = open_maps("contoso", MapsEntry(VARIABLE, endpoint=maps.url), MapsOptions(), None)
    assert isinstance((await client.ask(towns(1), "en-US"))[0], tuple)
    await client.close()


@pytest.mark.parametrize("key", [None, "", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_is_missing_or_no_header_is_one_line(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if key is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(MapsError) as caught:
        open_access(MapsEntry(VARIABLE))
    assert caught.value.failure is MapsFailure.CREDENTIAL
    assert "\n" not in str(caught.value)
    assert not key or key not in str(caught.value)
    assert key or VARIABLE in str(caught.value)


def test_a_malformed_identity_is_one_line() -> None:
    entry = MapsEntry(None, CLIENT_ID, Identity(IdentityKind.CLIENT_SECRET, "no tenant !", "c", "MAPS_TEST_SECRET"))
    with pytest.raises(MapsError, match="MAPS_TEST_SECRET is not set"):
        open_access(entry)


async def test_j2_a_token_that_ended_is_replaced_once(maps: MapsStandIn, entra: Entra) -> None:
    maps.modes = {3: "401"}
    client = client_of(maps, access=open_access(BY_IDENTITY))
    for _ in range(3):
        assert isinstance((await client.ask(towns(1), "en-US"))[0], tuple)
    assert (maps.calls, len(entra.asked)) == (4, 2)
    await client.close()


async def test_j2_a_new_token_that_is_refused_as_well_is_final(maps: MapsStandIn, entra: Entra) -> None:
    maps.rule = lambda number, _items: "401" if number > 1 else ""
    client = client_of(maps, access=open_access(BY_IDENTITY))
    await client.ask(towns(1), "en-US")
    with pytest.raises(MapsError) as caught:
        await client.ask(towns(1), "en-US")
    await client.close()
    assert caught.value.failure is MapsFailure.REFUSED
    assert "look at client_id and credential" in str(caught.value)
    assert (maps.calls, len(entra.asked)) == (3, 2)


async def test_j2_calls_in_flight_with_the_same_token_share_one_new_token(maps: MapsStandIn, entra: Entra) -> None:
    access = open_access(BY_IDENTITY)
    before = await access.headers()
    access.confirm(before)
    assert await asyncio.gather(*(access.renew(before) for _ in range(4))) == [True] * 4
    await asyncio.gather(*(access.headers() for _ in range(4)))
    assert (maps.calls, len(entra.asked)) == (0, 2)
    await access.close()


async def test_j1_a_token_that_was_never_good_is_not_replaced(maps: MapsStandIn, entra: Entra) -> None:
    maps.modes = {1: "401"}
    client = client_of(maps, access=open_access(BY_IDENTITY))
    with pytest.raises(MapsError):
        await client.ask(towns(1), "en-US")
    await client.close()
    assert (maps.calls, len(entra.asked)) == (1, 1)


async def test_an_identity_without_a_token_is_a_mistake_of_the_entry(maps: MapsStandIn, entra: Entra) -> None:
    entra.refuses = True
    client = client_of(maps, access=open_access(BY_IDENTITY))
    with pytest.raises(MapsError) as caught:
        await client.check_access()
    await client.close()
    assert caught.value.failure is MapsFailure.CREDENTIAL
    assert "there is no token for it" in str(caught.value)
    assert HEADER not in str(caught.value)
    assert maps.calls == 0


@pytest.mark.parametrize(("seconds_left", "tokens"), [(TOKEN_MARGIN - 60, 2), (TOKEN_MARGIN + 600, 1)])
async def test_a_token_is_replaced_before_it_ends(seconds_left: float, tokens: int) -> None:
    asked: list[str] = []

    class Tokens:
        async def get_token(self, scope: str) -> AccessToken:
            asked.append(scope)
            return AccessToken("a-token", int(time.time() + seconds_left))

    access = TokenAccess(CLIENT_ID, Tokens)  # type: ignore[arg-type]  # the method used
    await access.headers()
    await access.headers()
    assert asked == ["https://atlas.microsoft.com/.default"] * tokens


def test_a_token_has_a_deadline_of_its_own_below_that_of_a_call() -> None:
    assert TOKEN_SECONDS < DEADLINE == 70
