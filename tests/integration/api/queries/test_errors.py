"""Errors of queries: their order, their envelope in each form, and who may read them (query-api.md, 2.7, 3)."""

import json
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.conftest import StartServer
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import LiveServer
from tests.support.queries import AREAS, SHOPS, Queries, load_samples, start_querying, unwrap
from tests.support.raw_http import Answer
from tests.support.storage import Storage
from tests.support.stored_jobs import ACCESS_ID

SHOP = "FourthCoffeeShops"

QUERY, RESTRICTED, UNKNOWN = "query-key", "restricted", "unheard-of"
NONE = "0" * 32
ALL = "Others?$filter=Name eq&isStaging=1&$select=Nowhere"


@pytest.mark.parametrize(
    ("key", "access_id", "request_", "status", "text"),
    [
        (None, NONE, ALL, 401, "No key"),
        (UNKNOWN, NONE, ALL, 401, "not known"),
        (RESTRICTED, NONE, ALL, 404, "no such data source"),
        (RESTRICTED, ACCESS_ID, ALL, 401, "may not query"),
        (QUERY, ACCESS_ID, ALL, 400, "$filter"),
        (QUERY, ACCESS_ID, "Others?isStaging=1&$select=Nowhere", 404, "no such version"),
        (QUERY, ACCESS_ID, "Others?$select=Nowhere", 404, "no such entity type"),
        (QUERY, ACCESS_ID, f"{SHOP}('none')?$select=Nowhere", 400, "Nowhere"),
        (QUERY, ACCESS_ID, f"{SHOP}('none')?$select=Name", 404, "no entity"),
    ],
)
def test_checks_have_their_order(
    key: str | None, access_id: str, request_: str, status: int, text: str, restricted: LiveServer
) -> None:
    """Each request has the fault of its row, and those of the rows below it."""
    assert text in Queries(restricted, SHOPS, access_id).refused(request_, status, key)


@pytest.fixture(scope="module")
def restricted(samples: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    keys = {"restricted": {"account": samples.account, "data_sources": ["Areas*"]}}
    with start_querying(samples, tmp_path_factory.mktemp("restricted") / "files", keys=keys) as server:
        yield server


@pytest.mark.parametrize(
    ("request_", "key", "status"),
    [
        (f"{SHOP}?$filter=Nowhere eq 1", "query-key", 400),
        (f"{SHOP}", None, 401),
        (f"{SHOP}", "unheard-of", 401),
        ("Others", "query-key", 404),
        (f"{SHOP}('none')", "query-key", 404),
    ],
)
def test_an_error_has_the_form_that_is_asked_for(request_: str, key: str | None, status: int, shops: Queries) -> None:
    joint = "&" if "?" in request_ else "?"
    plain = shops.ask(request_, key)
    assert (plain.status, plain.envelope["statusCode"]) == (status, status)
    for form in ("jsonp=cb", "$format=json&Jsonp=cb", "jsonp=cb&jsonso=state"):
        called = shops.ask(f"{request_}{joint}{form}", key)
        assert called.status == status
        if "jsonso" in form:
            assert called.body.endswith(b',"state")')
        else:
            assert unwrap(called)["statusCode"] == status
        assert int(called.headers["content-length"]) == len(called.body)
    for form in ("o=xml", "output=XML&$format=json", "o=xml&jsonp=cb"):
        as_xml = shops.ask(f"{request_}{joint}{form}", key)
        assert (as_xml.status, as_xml.headers["content-type"]) == (status, "application/xml; charset=utf-8")
        assert etree.fromstring(as_xml.body).findtext("{*}StatusCode") == str(status)
    assert shops.ask(f"{request_}{joint}$format=atom&jsonp=cb", key).envelope["statusCode"] == status


def test_a_503_is_wrapped_too(storage: Storage, querying: StartQuerying) -> None:
    load_samples(storage)
    with Hop.before(storage) as hop:
        accounts = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        queries = Queries(querying(storage, accounts=accounts, storage_timeout=1))
        hop.mode = Mode.REFUSE
        answer = queries.ask(f"{SHOP}?jsonp=cb")
        assert (answer.status, unwrap(answer)["statusCode"]) == (503, 503)
        assert int(answer.headers["retry-after"]) >= 1


ALLOWED, EXPOSED = "access-control-allow-origin", "access-control-expose-headers"
ANSWERS = [(f"{SHOP}?$top=1", 200), (f"{SHOP}?$top=x", 400), (f"{SHOP}?jsonp=cb&$top=x", 400), ("Others", 404)]


@pytest.mark.parametrize(("request_", "status"), ANSWERS)
def test_pages_of_any_origin_may_read_every_answer(request_: str, status: int, shops: Queries) -> None:
    for key in ("query-key", "unheard-of"):
        answer = shops.ask(request_, key, headers=("Origin: https://page.example.com",))
        assert answer.status == (status if key == "query-key" else 401)
        assert (answer.headers[ALLOWED], answer.headers[EXPOSED]) == ("*", "Location")
    preflight = shops.ask(request_, None, "OPTIONS", ("Access-Control-Request-Headers: x-requested-with",))
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE"
    assert preflight.headers["access-control-allow-headers"] == "x-requested-with"


def test_only_listed_origins_may_read_where_there_is_a_list(samples: Storage, querying: StartQuerying) -> None:
    queries = Queries(querying(samples, cors_origins="https://page.example.com"))
    for origin, allowed in (("https://page.example.com", True), ("https://other.example.com", False)):
        answer = queries.ask(f"{SHOP}?$top=1", headers=(f"Origin: {origin}",))
        assert answer.headers.get(ALLOWED) == (origin if allowed else None)
        assert answer.headers["vary"] == "Origin"


def test_without_queries_an_endpoint_answers_as_before(samples: Storage, start: StartServer) -> None:
    queries = Queries(start(samples, queries=False))
    for request in (f"{SHOP}?$format=json", f"{SHOP}?$filter=x&jsonp=cb", f"{SHOP}('-8051')", "Others"):
        assert "does not serve queries" in queries.refused(request, 404)
    assert queries.ask(SHOP, None).envelope["authenticationResultCode"] == "NoCredentials"
    assert queries.ask("$metadata").status == 200


@pytest.mark.parametrize("filter_", ["nearby('1 Main Street, Seattle',5)", "nearRoute('1,2','3,4')"])
def test_what_needs_a_service_of_your_own_is_400(filter_: str, served: LiveServer) -> None:
    for name in (SHOPS, AREAS):
        answer: Answer = Queries(served, name).ask(
            f"{SHOP if name == SHOPS else 'Areas'}?spatialFilter={filter_}&$format=json"
        )
        assert answer.status == 400
        assert "retry-after" not in answer.headers
        assert json.loads(answer.body)["errorDetails"][0]
