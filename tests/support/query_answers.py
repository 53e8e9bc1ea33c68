"""Answers of queries as a client reads them, and the contract's vectors' demands on them (query-api.md, section 6)."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import shapely
from lxml import etree

D = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
M = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass
class Read:
    """An answer as a client reads it: ids and members of entities as texts."""

    single: bool
    format: str
    ids: list[str]
    entities: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None

    def check(self, expected: dict[str, Any]) -> None:
        """Checks it against the `expect` of a vector whose status is 200."""
        assert (self.format, self.single) == (expected["format"], expected["single"])
        assert self.ids == expected["ids"]
        assert self.count == expected.get("count")
        if expected["members"] is not None:
            assert all(list(each) == expected["members"] for each in self.entities)
        distances, shapes = expected.get("distances", []), expected.get("intersected", [])
        for each, distance in zip(self.entities, distances, strict=bool(distances)):
            assert math.isclose(float(each["__Distance"]), float(distance), rel_tol=1e-9)
        for each, shape in zip(self.entities, shapes, strict=bool(shapes)):
            assert shapely.equals(shapely.from_wkt(each["__IntersectedGeom"]), shapely.from_wkt(shape))


def read(body: bytes) -> Read:
    """Reads an answer, whatever its form."""
    return _read_atom(body) if body.startswith(b"<?xml") else _read_json(body)


def _read_json(body: bytes) -> Read:
    if not body.startswith(b"{"):
        body = body[body.index(b"(") + 1 : body.rindex(b")")]
    data = json.loads(body, parse_float=str)["d"]
    single = "results" not in data
    found = [{**data}] if single else data["results"]
    data.pop("__copyright")
    for each in found:
        each.pop("__copyright", None)
    ids = [_read_id(each.pop("__metadata")["uri"]) for each in found]
    return Read(single, "json", ids, found, data.get("__count"))


def _read_atom(body: bytes) -> Read:
    root = etree.fromstring(body)
    single = root.tag == f"{ATOM}entry"
    found = [root] if single else root.findall(f"{ATOM}entry")
    count = root.findtext(f"{M}count")
    ids = [_read_id(each.findtext(f"{ATOM}id") or "") for each in found]
    entities = [
        {etree.QName(one).localname: one.text for one in each.iterfind(f"{ATOM}content/{M}properties/*")}
        for each in found
    ]
    return Read(single, "atom", ids, entities, None if count is None else int(count))


def _read_id(uri: str) -> str:
    return uri[uri.index("('") + 2 : -2]
