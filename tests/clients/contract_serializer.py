"""A reader of JSON in the manner of .NET's DataContractJsonSerializer, as strict as that and as blind."""

import json
from dataclasses import dataclass
from typing import Any

_NAMESPACE = "http://schemas.microsoft.com/search/local/ws/rest/v1"
_COUNTS = ("totalEntityCount", "processedEntityCount", "failedEntityCount")


class SerializationError(Exception):
    """What .NET throws."""


@dataclass(frozen=True)
class Resource:
    """The base class: all that is known of a resource whose type is not understood."""


@dataclass(frozen=True)
class DataflowJob(Resource):
    """The class that the shipped client reads jobs into."""

    id: str
    status: str
    links: tuple[dict[str, str], ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Response:
    """The envelope."""

    status_code: int
    error_details: tuple[str, ...]
    resources: tuple[Resource, ...]


def read(content: bytes, *, is_list: bool) -> Response:
    """Reads an answer.

    Raises:
        SerializationError: a value is null where its type can't be, or a list of jobs has error details.
    """
    if content.startswith(b"\xef\xbb\xbf"):
        raise SerializationError("a BOM")
    envelope = json.loads(content)
    if is_list and "errorDetails" in envelope:
        raise SerializationError("errorDetails in a list")
    if "errorDetails" in envelope and envelope["errorDetails"] is None:
        raise SerializationError("errorDetails is null")
    (resource_set,) = envelope["resourceSets"]
    return Response(
        _int(envelope["statusCode"]),
        tuple(envelope.get("errorDetails", ())),
        tuple(_resource(members) for members in resource_set["resources"]),
    )


def _resource(members: dict[str, Any]) -> Resource:
    # The type is only seen where it comes first; what it names decides the class.
    if next(iter(members)) != "__type" or members["__type"] != f"DataflowJob:{_NAMESPACE}":
        return Resource()
    if None in members.values():
        raise SerializationError("a member is null")
    links = tuple(members.get("links", ()))
    if any(None in link.values() for link in links):
        raise SerializationError("a member of a link is null")
    return DataflowJob(members["id"], members["status"], links, tuple(_int(members[name]) for name in _COUNTS))


def _int(value: object) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise SerializationError("no int32")
    return value
