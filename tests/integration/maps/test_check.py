"""`check` and Azure Maps: the credential always, one item only on demand."""

import json
from typing import Any

import pytest

from proxy.demo.maps.stand_in import KEY, MapsStandIn
from tests.integration.cli.conftest import Run, run
from tests.support.storage import Storage

__all__ = ["run"]  # a fixture

pytestmark = pytest.mark.usefixtures("noon")

VARIABLE = "MAPS_TEST_KEY"


@pytest.fixture(autouse=True)
def _ring(run: Run, storage: Storage, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account has an Azure Maps; `run` has set the other variables."""
    del run
    entry: dict[str, Any] = {
        "storage": {"connection_string": storage.connection_string},
        "maps": {"subscription_key_env": VARIABLE, "endpoint": maps.url},
    }
    monkeypatch.setenv("PROXY_KEYRING", json.dumps({"accounts": {storage.account: entry}, "keys": {}}))
    monkeypatch.setenv(VARIABLE, KEY)


def test_check_gets_the_credential_and_asks_nothing(run: Run, maps: MapsStandIn) -> None:
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "")
    assert ", maps " in outcome.out
    assert maps.calls == 0


def test_check_maps_asks_one_item(run: Run, maps: MapsStandIn) -> None:
    outcome = run("check", "--maps")
    assert (outcome.status, outcome.err) == (0, "")
    assert "maps finds Redmond, WA" in outcome.out
    assert (maps.calls, maps.items) == (1, 1)


def test_a_key_that_azure_maps_refuses_is_a_fault_of_check_maps_only(
    run: Run, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "MARKED-WRONG-KEY")
    assert run("check").status == 0
    outcome = run("check", "--maps")
    assert outcome.status == 1
    assert "maps Azure Maps: refused: HTTP 401, " in outcome.out
    assert "look at subscription_key_env of the account's maps" in outcome.out
    assert "MARKED-WRONG-KEY" not in outcome.out + outcome.err
    assert maps.calls == 1


def test_a_variable_that_is_not_set_is_a_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    outcome = run("check")
    assert outcome.status == 1
    assert f"maps Azure Maps: credential: the environment variable {VARIABLE} is not set" in outcome.out


def test_check_shows_the_items_of_the_day_and_that_jobs_wait(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_MAPS_ITEMS_PER_DAY", "2")
    assert "maps 0 of the 2 items of this UTC day are used" in run("check").out
    assert "maps finds Redmond, WA; 1 of the 2 items of this UTC day are used" in run("check", "--maps").out
    outcome = run("check", "--maps")
    assert outcome.status == 0
    assert "2 of the 2 items of this UTC day are used; geocode jobs wait for the next day" in outcome.out
    over = run("check", "--maps")
    assert over.status == 1
    assert "day bound: 0 of the 2 items of this UTC day are left" in over.out
    assert storage.account in over.out
