"""Addresses of Microsoft's documents, which the demo geocodes as a program does: by a request to its own server."""

import json
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ADDRESSES = Path(__file__).with_name("addresses.csv")
START_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.5
_CREATED, _UNAVAILABLE = 201, 503


def create_job(port: int, key: str) -> str | None:
    """Creates the geocode job, as soon as the server on this port of loopback answers and reaches storage.

    Returns:
        The id of the job; None where the server does not take it.
    """
    end = time.monotonic() + START_SECONDS
    status, body = _post(port, key)
    while status == _UNAVAILABLE and time.monotonic() < end:
        time.sleep(LOOK_AGAIN_SECONDS)
        status, body = _post(port, key)
    return _read_id(body) if status == _CREATED else None


def _post(port: int, key: str) -> tuple[int, bytes]:
    """The status and the body of the answer; status 0 where there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        path = f"/REST/v1/Dataflows/Geocode?input=csv&key={key}"
        connection.request("POST", path, ADDRESSES.read_bytes(), {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _read_id(body: bytes) -> str:
    (job,) = json.loads(body)["resourceSets"][0]["resources"]
    return str(job["id"])
