"""Geocode jobs from the POST to both outputs, with a server, a worker, and the stand-in for Azure Maps."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from proxy.demo.maps.gazetteer import answer_item
from tests.support.geocoding import Geocoding, start_geocoding
from tests.support.storage import Storage
from tests.unit.formats.geocode.jobs import TRACE
from tests.unit.formats.geocode.test_vectors import VECTORS

pytestmark = pytest.mark.slow

OPERATIONS = {"geocode:batch": "geocode", "reverseGeocode:batch": "reverse"}


@pytest.fixture(scope="module")
def geocoding(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Geocoding]:
    """One worker for all tests of this file."""
    with start_geocoding(account, Path(tmp_path_factory.mktemp("worker"))) as started:
        yield started


@pytest.mark.parametrize("vector", VECTORS, ids=[one["id"] for one in VECTORS])
def test_a_vector_comes_out_to_the_byte(vector: Mapping[str, Any], geocoding: Geocoding) -> None:
    answers = {json.dumps(one["item"], sort_keys=True): one["answer"] for one in vector["answers"]}
    geocoding.maps.answer = lambda item: answers[json.dumps(item, sort_keys=True)]
    geocoding.maps.asked.clear()
    created = geocoding.create(base64.b64decode(vector["body_base64"]), vector["format"])
    assert created.status_code == 201
    job = geocoding.finish(created)
    assert job["status"] == "Completed"
    assert (job["totalEntityCount"], job["processedEntityCount"]) == (vector["total"], vector["total"])
    assert job["failedEntityCount"] == vector["failed_count"]
    found = {name: TRACE.sub("{trace}", data.decode()) for name, data in geocoding.outputs(job).items()}
    assert found == {name: vector[name] for name in ("succeeded", "failed") if vector.get(name)}
    assert [link.get("name") for link in job["links"][1:]] == [*found]  # the succeeded one is the second link
    asked = [(call.language, call.operation, item) for call in geocoding.maps.asked for item in call.items]
    expected = [(one["language"], OPERATIONS[one["operation"]], one["item"]) for one in vector["sent"]]
    assert sorted(map(json.dumps, asked)) == sorted(map(json.dumps, expected))
    geocoding.maps.answer = answer_item


def test_names_of_outputs_say_what_they_are(geocoding: Geocoding) -> None:
    """One client wants the word in the URL."""
    head = b"Bing Spatial Data Services|2.0\nId|GeocodeRequest/Query|GeocodeResponse/Point/Latitude\n"
    job = geocoding.finish(geocoding.create(head + b"1|Denver|\n2|Nowhere at all|\n", "pipe"))
    urls = [link["url"].partition("?")[0].rpartition("/")[2] for link in job["links"][1:]]
    assert urls == ["succeeded.txt", "failed.txt"]
