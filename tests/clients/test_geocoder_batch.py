"""The package `geocoder` from PyPI, unchanged: it creates batches, polls, and reads the results."""

import warnings
from collections.abc import Iterator

import pytest
import requests

from tests.clients.test_geocoder import session_to
from tests.support.geocoding import Geocoding
from tests.support.live import MASTER, QUERY

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "invalid escape sequence", DeprecationWarning)
    warnings.filterwarnings("ignore", "invalid escape sequence", SyntaxWarning)
    import geocoder

pytestmark = pytest.mark.slow


@pytest.fixture
def session(geocoding: Geocoding, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """A session in which Bing's host is our server; the package polls ten times as often."""
    monkeypatch.setattr("geocoder.bing_batch.BingBatch._BATCH_WAIT", 0.5)
    with session_to(geocoding.server) as opened:
        yield opened


@pytest.mark.parametrize("key", [MASTER, QUERY])
def test_a_forward_batch_comes_out(key: str, session: requests.Session) -> None:
    found = geocoder.bing(["Denver,CO", "Boulder,CO", "Nowhere at all"], key=key, method="batch", session=session)
    assert [result.ok for result in found] == [True, True, False]
    assert [round(number) for number in found[0].latlng] == [40, -105]


def test_a_reverse_batch_comes_out(session: requests.Session) -> None:
    found = geocoder.bing(
        [(39.7400093, -104.9920197), (39.74, -104.992)], key=MASTER, method="batch_reverse", session=session
    )
    assert [result.ok for result in found] == [True, True]
    assert all(result.address and result.country for result in found)


def test_a_batch_of_which_all_failed_is_an_empty_result(session: requests.Session) -> None:
    found = geocoder.bing(["Nowhere at all"], key=MASTER, method="batch", session=session)
    assert [result.ok for result in found] == [False]
