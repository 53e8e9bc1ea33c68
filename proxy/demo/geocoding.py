"""Addresses of Microsoft's documents, which the demo geocodes as a program does: by a request to its own server."""

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ADDRESSES = Path(__file__).with_name("addresses.csv")
_START_SECONDS = 60
_CREATED = 201


def create_job(port: int, key: str) -> str | None:
    """Creates the geocode job, as soon as the server on this port of loopback answers.

    Returns:
        The id of the job; None where the server does not take it.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
    try:
        path = f"/REST/v1/Dataflows/Geocode?input=csv&key={key}"
        connection.request("POST", path, ADDRESSES.read_bytes(), {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        return _read_id(answer.read()) if answer.status == _CREATED else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _read_id(body: bytes) -> str:
    (job,) = json.loads(body)["resourceSets"][0]["resources"]
    return str(job["id"])
