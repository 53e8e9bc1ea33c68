"""The vectors of the contract as jobs: items asked, both outputs to the byte, and the counts."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.model.jobs import JobStatus
from tests.integration.worker.geocoding.jobs import geocode, outputs, with_maps
from tests.support.canned_maps import CannedMaps
from tests.support.worker_desk import Desk
from tests.unit.formats.geocode.jobs import TRACE
from tests.unit.formats.geocode.test_vectors import VECTORS


def canned(vector: Mapping[str, Any]) -> CannedMaps:
    """Answers the items of a vector as it has them, and no others."""
    answers = {json.dumps(one["item"], sort_keys=True): one["answer"] for one in vector["answers"]}
    return CannedMaps(lambda item: answers[json.dumps(item, sort_keys=True)])


@pytest.mark.parametrize("vector", VECTORS, ids=[one["id"] for one in VECTORS])
async def test_a_vector_is_done_as_the_contract_has_it(vector: Mapping[str, Any], desk: Desk) -> None:
    maps = canned(vector)
    desk = with_maps(desk, maps)
    job = await geocode(desk, base64.b64decode(vector["body_base64"]), vector["format"])
    assert (job.status, job.error_message) == (JobStatus.COMPLETED, None)
    assert (job.total, job.processed, job.failed) == (vector["total"], vector["total"], vector["failed_count"])
    expected = [json.dumps([one["language"], one["item"]], sort_keys=True) for one in vector["sent"]]
    assert sorted(maps.asked) == sorted(expected)
    succeeded, failed = [TRACE.sub("{trace}", text) for text in await outputs(desk, job)]
    assert succeeded == vector.get("succeeded", "")
    assert failed == vector.get("failed", "")
    ending = ".xml" if vector["format"] == "xml" else ".txt"
    for blob, name in ((job.output_blob, "succeeded"), (job.failed_blob, "failed")):
        assert blob is None or blob.name.endswith(f"/{name}{ending}")
