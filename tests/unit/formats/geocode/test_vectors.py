"""The vectors of the contract: what is sent, and both outputs to the byte."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.formats.geocode.jobs import run

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))[
    "vectors"
]


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{one['id']} {one['title']}" for one in VECTORS])
def test_a_vector_is_sent_and_answered_as_the_contract_has_it(vector: dict[str, Any]) -> None:
    answers = {json.dumps(one["item"], sort_keys=True): one["answer"] for one in vector["answers"]}
    done = run(
        base64.b64decode(vector["body_base64"]),
        vector["format"],
        lambda item: answers[json.dumps(item, sort_keys=True)],
    )
    assert _sorted(done.sent) == _sorted(vector["sent"])
    assert done.succeeded == vector.get("succeeded", "")
    assert done.failed == vector.get("failed", "")
    assert (done.counts.total, done.counts.failed) == (vector["total"], vector["failed_count"])


def _sorted(sent: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in sent)
