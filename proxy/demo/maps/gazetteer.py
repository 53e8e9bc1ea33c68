"""The places that the stand-in knows: those of the documents' samples. Every other one has no features."""

import json
import re
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_PLACES: list[Json] = json.loads(Path(__file__).with_name("gazetteer.json").read_text(encoding="utf-8"))
_WORD = re.compile(r"\w+")
_PARTS = ("addressLine", "locality", "adminDistrict", "adminDistrict2", "adminDistrict3", "postalCode", "countryRegion")
_DEFAULT_TOP = 5
_NEAR, _IN_AREA = 0.02, 0.2
"""Degrees from an address, and from the middle of a town."""


def answer_item(item: Json) -> Json:
    """The answer of one item of a batch."""
    return {"type": "FeatureCollection", "features": _describe(item) if "coordinates" in item else _find(item)}


def _find(item: Json) -> list[Json]:
    """The places all of whose words are in the text, those with the most words first."""
    text = item.get("query") or " ".join(str(item[part]) for part in _PARTS if item.get(part))
    words = set(_WORD.findall(text.lower()))
    found = sorted((each for each in _PLACES if words.issuperset(each["words"])), key=lambda each: -len(each["words"]))
    return [each["feature"] for each in found[: item.get("top") or _DEFAULT_TOP]]


def _describe(item: Json) -> list[Json]:
    """The nearest place of the wanted types that is near enough."""
    longitude, latitude = item["coordinates"]
    wanted = item.get("resultTypes") or ()
    found = []
    for each in _PLACES:
        feature = each["feature"]
        place, kind = feature["geometry"]["coordinates"], feature["properties"]["type"]
        distance = max(abs(place[0] - longitude), abs(place[1] - latitude))
        if (kind in wanted or not wanted) and distance < (_NEAR if kind == "Address" else _IN_AREA):
            found.append((distance, feature))
    return [feature for _, feature in sorted(found, key=lambda each: each[0])[:1]]
