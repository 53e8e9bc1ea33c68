"""The contract's vectors, from the request to the bytes, without HTTP (query-api.md, section 6)."""

from typing import Any

import pytest

from proxy.query.errors import QueryError
from tests.support.query_answers import read
from tests.unit.query.sources import NotFoundError, Source, load_sources, read_vectors


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    return load_sources(tmp_path_factory.mktemp("sources"))


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
    read(source.answer(request)).check(expected)
