"""Queries of any endpoint: which data sources are queried, what a report shows of entities, and odd answers."""

import json
from collections.abc import Callable

import pytest

from proxy.conformance.client import is_read_only
from proxy.conformance.collector import MAX_SOURCES, MAX_TRIED_SOURCES
from proxy.conformance.exchange import Purpose, Request
from proxy.conformance.recording import Recording
from proxy.conformance.report import as_json
from proxy.conformance.rule import Outcome, evaluate
from proxy.conformance.rules import RULES
from tests.integration.conformance.endpoints import Answer, list_of, run, scripted
from tests.integration.conformance.mutate import all_of
from tests.integration.conformance.query_mutations import QUERIES, QUERY_MISTAKES
from tests.support.live import MASTER, LiveServer

KEY = "the-master-key"
ROUNDS = 12
ATOM = (("Content-Type", "application/atomsvc+xml"),)
MISSING = Answer(json.dumps({"authenticationResultCode": "ValidCredentials", "statusCode": 404}).encode(), 404)


def service(*paths: str, staging: str = "false", host: str = "https://spatial.contoso.example") -> Answer:
    """A service document that lists these entity types."""
    spaces = "".join(
        f'<workspace b:isStagingDataSource="{staging}"><collection a:href="{host}/REST/v1/{path}"/></workspace>'
        for path in paths
    )
    namespaces = 'xmlns="http://www.w3.org/2007/app" xmlns:a="http://www.w3.org/2007/app"'
    bsi = 'xmlns:b="http://schemas.microsoft.com/bing/spatial/2010/11/odata"'
    return Answer(f"<service {namespaces} {bsi}>{spaces}</service>".encode(), 200, ATOM)


def endpoint(listed: Answer, found: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """An endpoint without jobs that lists data sources; `found` answers all paths below them."""

    def script(path: str) -> Answer:
        target = path.partition("/REST/v1/")[2]
        if target.lower().startswith("data/") and "/jobs/" not in target:
            return found(target)
        return listed if target.startswith("data?") else list_of()

    return script


def verdicts(out: str) -> dict[str, tuple[str, str]]:
    """Outcome and reason of each rule of queries in a report."""
    return {each["id"]: (each["verdict"], each["reason"]) for each in json.loads(out)["rules"] if each["id"] in QUERIES}


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (service("data/a1/Shop/Shops"), "the endpoint serves no queries: each is HTTP 404 Not Found"),
        (service("data/a1/Shop/Shops", staging="true"), "no published data source is listed"),
        (service(), "no published data source is listed"),
        (MISSING, "the data sources are not listed: HTTP 404 Not Found"),
        (Answer(b"<!DOCTYPE a><a/>", 200, ATOM), "no published data source is listed"),
    ],
)
def test_endpoint_without_queries_skips_their_rules(
    listed: Answer, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted(endpoint(listed, lambda _: MISSING)) as (url, _):
        run("--base-url", url, "--key", KEY, "--json")
    assert set(verdicts(capsys.readouterr().out).values()) == {("skipped", reason)}


def entities(*ids: str) -> Answer:
    """A list of entities."""
    results = [{"__metadata": {"uri": f"https://a/('{each}')"}, "Latitude": 1.5, "Longitude": 2.5} for each in ids]
    return Answer(json.dumps({"d": {"results": results}}).encode())


def test_few_data_sources_are_queried_and_one_in_every_way() -> None:
    listed = service(*(f"data/a1/Shop{number}/Shops" for number in range(20)))
    with scripted(endpoint(listed, lambda path: entities() if "Shop0" in path else entities("1"))) as (url, requests):
        run("--base-url", url, "--key", KEY)
    queries = [each for each in requests if "/data/a1/" in each.lower()]
    assert {name for number in range(20) for each in queries if (name := f"/Shop{number}/") in each} == {
        f"/Shop{number}/" for number in range(MAX_TRIED_SOURCES)
    }
    of_forms = [each for each in queries if "nearby" in each and "/data/a1/" in each]
    assert len(of_forms) == MAX_SOURCES * 2
    assert len([each for each in queries if "isStaging" in each]) <= 1
    assert len(queries) < 60


def test_paths_of_listed_data_sources_that_may_create_are_not_requested() -> None:
    paths = ("data/a1/Shop/$commit", "data/a1/Shop/%24commit", "Dataflows/DataSourceDownload/a1/Shop", "data/a1/../x")
    with scripted(lambda _: entities("1")) as (other, foreign):
        listed = service(*paths, "data/a1/Shop/Shops", host=other)
        with scripted(endpoint(listed, lambda _: entities("a/../../$commit"))) as (url, requests):
            run("--base-url", url, "--key", KEY)
    assert foreign == []
    targets = [each.split(" ")[1].partition("?")[0] for each in requests]
    assert any(each.endswith("/data/a1/Shop/Shops") for each in targets)
    assert not [each for each in targets if "commit" in each or "/DataSourceDownload/a1" in each]


ODD: dict[str, bytes] = {
    "no entity": b'{"d":{"results":[1,[],null,"a"]}}',
    "odd types": b'{"d":{"__count":[],"results":[{"__metadata":{"uri":[1]},"Latitude":{},"Longitude":[],"a":{}}]}}',
    "odd numbers": b'{"d":{"__copyright":1,"__count":"\\u00b2","results":[{"__metadata":{"uri":"x(\'\\ud800\')"},'
    b'"Latitude":1e999999999,"Longitude":-1e400,"__Distance":1e999999999}]}}',
    "a long number": b'{"d":{"__count":' + b"9" * 5000 + b',"results":[{"__metadata":{"uri":"(\')"}}]}}',
    "places off the map": b'{"d":{"results":[{"__metadata":{"uri":"a"},"Latitude":91,"Longitude":181}]}}',
    "no object": b'{"d":[]}',
    "Atom without content": b'<feed xmlns="http://www.w3.org/2005/Atom"><!-- a --><entry><?a?></entry></feed>',
    "a document type": b'<!DOCTYPE feed [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>',
    "deep": b'{"d":' * 50_000,
}


@pytest.mark.parametrize("name", ODD)
def test_any_answer_to_a_query_gets_a_report(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def found(path: str) -> Answer:
        return entities("1") if "$top=1&$inlinecount" in path else Answer(ODD[name])

    for script in (found, lambda _: Answer(ODD[name])):
        with scripted(endpoint(service("data/a1/Shop/Shops"), script)) as (url, _):
            assert run("--base-url", url, "--key", KEY) == 1
        out, err = capsys.readouterr()
        assert not err
        assert out.splitlines()[-1].endswith("skipped")


def test_report_shows_no_entity(queried: Recording, querying: LiveServer) -> None:
    """Neither a sound answer nor one that breaks a rule shows an id, a coordinate or a text of an entity."""
    mutations = [*QUERIES.values(), *(mutation for _, mutation in QUERY_MISTAKES.values())]
    for first in range(ROUNDS):  # all of them in a few rounds
        changed = all_of(*mutations[first::ROUNDS])(queried)
        results = [evaluate(each, changed) for each in RULES if each.id in QUERIES or each.id.startswith("5.")]
        assert any(each.outcome is Outcome.FAILED for each in results)
        report = json.dumps(as_json(querying.url, queried, results), ensure_ascii=False)
        assert MASTER not in report
        for value in ("22067", "57.003766", "37.77", "122.38", "L\u00f8ven", "Aalborg", "SanFrancisco", "9200"):
            assert value not in report, value


def test_queries_only_read(queried: Recording) -> None:
    requests = [each.request for each in queried.exchanges if each.request.source is not None]
    assert len(requests) < 60
    assert {each.method for each in requests} == {"GET", "HEAD"}
    assert all(map(is_read_only, requests))
    purposes = {each.purpose for each in requests}
    assert {each for each in Purpose if each.name.startswith("FIND_")} <= purposes
    assert not is_read_only(Request(Purpose.FIND_ALL, "data/a1/Shop/$updatedatasource", "setPublic=1"))
