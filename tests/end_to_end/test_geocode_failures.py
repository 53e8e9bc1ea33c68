"""Failures of Azure Maps as a job meets them (geocode.md, section 6.1), and jobs side by side."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.geocoding import Geocoding, start_geocoding
from tests.support.live import MASTER
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

HEAD = (
    "Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Query,GeocodeResponse/Point/Latitude,StatusCode,FaultReason\n"
)


def rows(count: int) -> bytes:
    return (HEAD + "".join(f"{number},{number} Marked-Address Denver,,,\n" for number in range(count))).encode()


@pytest.fixture(scope="module")
def geocoding(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Geocoding]:
    """One worker for all tests of this file."""
    with start_geocoding(account, Path(tmp_path_factory.mktemp("worker"))) as started:
        yield started


@pytest.mark.parametrize(
    ("modes", "calls"),
    [
        ({1: "429 2"}, 2),  # J3
        ({1: "429", 2: "429", 3: "429"}, 4),  # J4
        ({1: "408"}, 3),  # J5: halved
        ({1: "500", 2: "503"}, 3),  # J6
        ({1: "400"}, 3),  # J8
        ({1: "short"}, 2),  # J9
        ({1: "html"}, 2),
        ({1: "cut"}, 2),
        ({1: "endless"}, 2),
        ({1: "item errors"}, 2),
    ],
    ids=lambda value: "+".join(value.values()) if isinstance(value, dict) else "",
)
def test_a_passing_failure_costs_nothing_but_calls(modes: dict[int, str], calls: int, geocoding: Geocoding) -> None:
    geocoding.maps.asked.clear()
    geocoding.maps.modes = modes
    job = geocoding.finish(geocoding.create(rows(4)))
    geocoding.maps.modes = {}
    assert (job["status"], job["processedEntityCount"], job["failedEntityCount"]) == ("Completed", 4, 0)
    assert geocoding.maps.calls == calls


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refusal_aborts_at_once_and_names_the_setting(status: str, geocoding: Geocoding) -> None:
    """J1."""
    geocoding.maps.asked.clear()
    geocoding.maps.modes = {1: status}
    job = geocoding.finish(geocoding.create(rows(4)))
    geocoding.maps.modes = {}
    assert (job["status"], geocoding.maps.calls, len(job["links"])) == ("Aborted", 1, 1)
    assert "subscription_key_env" in job["errorMessage"]
    assert geocoding.maps.key not in job["errorMessage"]


def test_an_item_that_fails_for_good_fails_its_row(geocoding: Geocoding) -> None:
    geocoding.maps.asked.clear()
    geocoding.maps.modes = {1: "item errors", 2: "item errors"}
    job = geocoding.finish(geocoding.create(rows(2)))
    geocoding.maps.modes = {}
    assert (job["status"], job["processedEntityCount"], job["failedEntityCount"]) == ("Completed", 2, 2)
    assert geocoding.outputs(job)["failed"].count(b",ServerError,") == 2


def test_a_small_job_is_done_beside_a_large_one(geocoding: Geocoding) -> None:
    """J11."""
    geocoding.maps.seconds = 1
    large = geocoding.create(rows(15_000))
    small = geocoding.finish(geocoding.create(rows(2)))
    (job,) = large.json()["resourceSets"][0]["resources"]
    beside = geocoding.server.job(f"Dataflows/Geocode/{job['id']}")
    geocoding.maps.seconds = 0
    assert (small["status"], beside["status"]) == ("Completed", "Pending")
    assert geocoding.finish(large)["processedEntityCount"] == 15_000


def test_no_address_and_no_key_is_in_the_logs(storage: Storage, tmp_path: Path) -> None:
    with start_geocoding(storage, tmp_path) as geocoding:
        modes = itertools.cycle(["", "500", "400", "item errors", "short"])
        geocoding.maps.modes = {number: next(modes) for number in range(1, 20)}
        for _ in range(3):
            geocoding.finish(geocoding.create(rows(3)))
        geocoding.maps.modes = dict.fromkeys(range(1, 1000), "403")
        geocoding.finish(geocoding.create(rows(3)))
        _, log = geocoding.worker.end()
    assert "geocoded: 3 rows" in log
    assert not [secret for secret in ("Marked-Address", MASTER, geocoding.maps.key) if secret in log]
