"""The contract's answers to the byte (query-api.md, section 6.3)."""

import json

import pytest

from tests.unit.query.sources import DATA, Source, load_sources

CASES = json.loads((DATA / "bytes.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    return load_sources(tmp_path_factory.mktemp("sources"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_contracts_bytes(case: dict[str, str], sources: dict[str, Source]) -> None:
    source = sources[case["request"].partition("?")[0].partition("(")[0].lower()]
    body = case["body"].replace("{now}", "2026-11-27T02:00:00Z").replace("id={n}", "id=1")
    assert source.answer(case["request"]).decode() == body
