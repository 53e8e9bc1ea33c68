"""Chunks and their answers as a worker stores them, so that its successor goes on from there (geocode.md, section 7).

A chunk is a line of JSON with its items; its answers are a line each. All are arrays, in the order of the tuples of
adapters/model/geocoding.py: a worker of another version refuses those that it does not know, and asks again.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from adapters.model.geocoding import (
    AdminDistrict,
    Answer,
    BoundingBox,
    ForwardItem,
    Item,
    ItemError,
    Place,
    PlacePoint,
    ReverseItem,
)
from proxy.formats.geocode.chunks import Chunk


class InvalidCheckpointError(Exception):
    """The bytes are none that this version has written."""


def encode_chunk(chunk: Chunk) -> bytes:
    """The chunk as a line of JSON."""
    return _to_json((chunk.number, chunk.is_forward, chunk.language, chunk.items))


def decode_chunk(data: bytes) -> Chunk:
    """The chunk of `encode_chunk`.

    Raises:
        InvalidCheckpointError: the bytes are something else.
    """
    try:
        number, is_forward, language, arrays = orjson.loads(data)
        items: list[Item] = [ForwardItem(*one) if is_forward else _reverse_item(*one) for one in arrays]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCheckpointError("the chunk is none of this version") from error
    return Chunk(number, language, items)


def encode_answers(answers: Iterable[Answer]) -> bytes:
    """A line of JSON for each answer: an array of places, or an object with an error."""
    return b"".join([_to_json(answer) for answer in answers])


def decode_answers(data: bytes) -> list[Answer]:
    """The answers of `encode_answers`.

    Raises:
        InvalidCheckpointError: the bytes are something else.
    """
    try:
        return [_parse_answer(orjson.loads(line)) for line in data.splitlines()]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCheckpointError("the answers are none of this version") from error


def _to_json(value: object) -> bytes:
    return orjson.dumps(value, default=_plain) + b"\n"


def _plain(value: object) -> object:
    """Named tuples, which the encoder does not take."""
    return tuple(value)  # type: ignore[arg-type]  # nothing else is unknown to the encoder


def _parse_answer(value: Any) -> Answer:  # noqa: ANN401  JSON
    if isinstance(value, dict):
        return ItemError(value["message"], value["is_of_server"])
    return tuple([_parse_place(*one) for one in value])


def _parse_place(*values: Any) -> Place:  # noqa: ANN401  JSON
    (
        latitude,
        longitude,
        name,
        type_,
        confidence,
        codes,
        line,
        locality,
        neighborhood,
        postal_code,
        districts,
        country,
        code,
        box,
        points,
    ) = values
    return Place(
        latitude,
        longitude,
        name,
        type_,
        confidence,
        tuple(codes),
        line,
        locality,
        neighborhood,
        postal_code,
        tuple([AdminDistrict(name, short_name) for name, short_name in districts]),
        country,
        code,
        None if box is None else BoundingBox(*box),
        tuple([PlacePoint(north, east, method, tuple(usages)) for north, east, method, usages in points]),
    )


def _reverse_item(latitude: float, longitude: float, types: list[str]) -> ReverseItem:
    return ReverseItem(latitude, longitude, tuple(types))
