"""Geocode jobs on bytes: questions as they would be sent, answers as JSON, and both outputs."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.maps.mapping import batch_body, parse_batch
from adapters.model.geocoding import Answer, Item
from proxy.formats.geocode.checkpoints import encode_answers
from proxy.formats.geocode.chunks import ChunkPlan, plan_chunks
from proxy.formats.geocode.job_files import Counts, RequestFormat, open_requests, write_outputs
from proxy.formats.geocode.requests import Question, Row
from proxy.formats.geocode.stored_answers import StoredAnswers
from proxy.formats.limits import LoadLimits

JOB_ID = "job"
TRACE = re.compile(r"\b[0-9a-f]{32}\b")
NOTHING: dict[str, Any] = {"type": "FeatureCollection", "features": []}

AnswerOf = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Done:
    """What a job sent, and its outputs, with `{trace}` for each trace id."""

    sent: list[dict[str, Any]]
    succeeded: str
    failed: str
    counts: Counts


def read(data: bytes, form: str = "csv", limits: LoadLimits | None = None) -> list[Row]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        file.write_bytes(data)
        with open_requests(file, RequestFormat(form), limits or LoadLimits()) as requests:
            return list(requests.rows)


def run(data: bytes, form: str = "csv", answer_of: AnswerOf = lambda _: NOTHING) -> Done:
    """A whole job: each chunk is one call, and its answers go through a checkpoint."""
    sent: list[dict[str, Any]] = []
    checkpoints: dict[int, bytes] = {}
    for chunk in plan_chunks([row.question for row in read(data, form) if row.question], ChunkPlan()):
        operation = "geocode:batch" if chunk.is_forward else "reverseGeocode:batch"
        items = batch_body(chunk.items)["batchItems"]
        sent += [{"operation": operation, "language": chunk.language, "item": item} for item in items]
        document = json.loads(json.dumps({"batchItems": [answer_of(item) for item in items]}))
        checkpoints[chunk.number] = encode_answers(parse_batch(document, len(items)))
    succeeded, failed, counts = write(data, form, StoredAnswers(checkpoints.get).find)
    return Done(sent, _without_traces(succeeded), _without_traces(failed), counts)


def write(data: bytes, form: str, find: Callable[[Question], Answer | None]) -> tuple[bytes, bytes, Counts]:
    """Both outputs, and the counts."""
    succeeded, failed = io.BytesIO(), io.BytesIO()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        file.write_bytes(data)
        with open_requests(file, RequestFormat(form), LoadLimits()) as requests:
            counts = write_outputs(requests, find, succeeded, failed, JOB_ID)
    return succeeded.getvalue(), failed.getvalue(), counts


def items(data: bytes, form: str = "csv") -> list[Item | None]:
    return [row.question.item if row.question else None for row in read(data, form)]


def _without_traces(out: bytes) -> str:
    return TRACE.sub("{trace}", out.decode())


def place(**properties: Any) -> dict[str, Any]:
    """The answer of one place in Denver, with other properties."""
    address = {
        "locality": "Denver",
        "adminDistricts": [{"name": "Colorado", "shortName": "CO"}],
        "countryRegion": {"ISO": "US", "name": "United States"},
        "formattedAddress": "Denver, CO",
    }
    known = {"type": "PopulatedPlace", "confidence": "High", "matchCodes": ["Good"], "address": address}
    geometry = {"type": "Point", "coordinates": [-104.5, 39.5]}
    feature = {"type": "Feature", "geometry": geometry, "properties": known | properties}
    return {"type": "FeatureCollection", "features": [feature]}
