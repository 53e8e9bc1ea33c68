"""A load's queryKey, looked up in the key store as the key is."""

from collections.abc import Iterator

import pytest

from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import load, refused
from tests.support.fault_proxy import Mode
from tests.support.key_rows import KeyRows
from tests.support.live import LiveServer
from tests.support.storage import Storage


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """A key store with keys of each kind."""
    with KeyRows.open(storage) as opened:
        opened.write("master")
        opened.write("query", Role="query")
        opened.write("odd", Role="owner")
        opened.revoke("revoked", Role="query", Name="old program")
        yield opened


@pytest.fixture
def server(storage: Storage, keys: KeyRows, start_patient: StartServer) -> LiveServer:
    """A server with these keys."""
    return start_patient(storage, **keys.settings)


def test_a_query_key_is_another_good_key_of_the_account(server: LiveServer) -> None:
    assert load(server, key="master", queryKey="query").status_code == 201
    for wrong in ("revoked", "unknown", "master"):
        assert refused(load(server, key="master", queryKey=wrong))[0] == 400


def test_a_query_key_that_cannot_be_checked_is_a_503(server: LiveServer, keys: KeyRows) -> None:
    assert load(server, key="master", queryKey="odd").status_code == 503
    keys.hop.mode = Mode.REFUSE
    answer = load(server, key="master", queryKey="not read yet")
    assert answer.status_code == 503
    assert answer.json()["errorDetails"] == ["Keys can't be checked at the moment. Try again."]
    assert load(server, key="master", dataSourceName="others").status_code == 201
