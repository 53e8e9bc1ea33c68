"""The contract's vectors, from the request to the bytes, without HTTP (query-api.md, section 6)."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
import shapely
from lxml import etree

from proxy.query.errors import QueryError
from tests.unit.query.sources import NotFoundError, Source, load_sources, read_vectors

D = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
M = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    return load_sources(tmp_path_factory.mktemp("sources"))


@dataclass
class Read:
    """An answer as a client reads it: ids and members of entities as texts."""

    single: bool
    format: str
    ids: list[str]
    entities: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None


def read(body: bytes) -> Read:
    return read_atom(body) if body.startswith(b"<?xml") else read_json(body)


def read_json(body: bytes) -> Read:
    if not body.startswith(b"{"):
        body = body[body.index(b"(") + 1 : body.rindex(b")")]
    data = json.loads(body, parse_float=str)["d"]
    single = "results" not in data
    found = [{**data}] if single else data["results"]
    data.pop("__copyright")
    for each in found:
        each.pop("__copyright", None)
    ids = [read_id(each.pop("__metadata")["uri"]) for each in found]
    return Read(single, "json", ids, found, data.get("__count"))


def read_atom(body: bytes) -> Read:
    root = etree.fromstring(body)
    single = root.tag == f"{ATOM}entry"
    found = [root] if single else root.findall(f"{ATOM}entry")
    count = root.findtext(f"{M}count")
    ids = [read_id(each.findtext(f"{ATOM}id") or "") for each in found]
    entities = [
        {etree.QName(one).localname: one.text for one in each.iterfind(f"{ATOM}content/{M}properties/*")}
        for each in found
    ]
    return Read(single, "atom", ids, entities, None if count is None else int(count))


def read_id(uri: str) -> str:
    return uri[uri.index("('") + 2 : -2]


@pytest.mark.parametrize("vector", read_vectors(), ids=lambda vector: f"{vector['n']}-{vector['note']}")
def test_the_contracts_vectors(vector: dict[str, Any], sources: dict[str, Source]) -> None:
    expected = vector["expect"]
    request = vector["request"].replace("{key}", "any")
    type_ = request.partition("?")[0].partition("(")[0].lower()
    source = sources.get(type_, sources["fourthcoffeeshops"])
    if expected["status"] != 200:
        with pytest.raises({400: QueryError, 404: NotFoundError}[expected["status"]]):
            source.answer(request)
        return
    found = read(source.answer(request))
    assert (found.format, found.single) == (expected["format"], expected["single"])
    assert found.ids == expected["ids"]
    assert found.count == expected.get("count")
    if expected["members"] is not None:
        assert all(list(each) == expected["members"] for each in found.entities)
    for each, distance in zip(found.entities, expected.get("distances", []), strict=bool(expected.get("distances"))):
        assert math.isclose(float(each["__Distance"]), float(distance), rel_tol=1e-9)
    for each, shape in zip(found.entities, expected.get("intersected", []), strict=bool(expected.get("intersected"))):
        assert shapely.equals(shapely.from_wkt(each["__IntersectedGeom"]), shapely.from_wkt(shape))
