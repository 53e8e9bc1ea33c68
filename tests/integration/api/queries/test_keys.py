"""The table of keys, methods and versions (query-api.md, section 6.4): a test for each of its rows."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from adapters.model.jobs import JobType
from proxy.demo.azurite import Emulator
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from tests.support.live import MASTER, LiveServer
from tests.support.queries import SHOPS, Queries, load, start_querying, stores, unwrap
from tests.support.raw_http import Answer
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play

ONE, ANOTHER = "Query-1", "query-2"
PATTERN, FOREIGN, EXPIRED, UNKNOWN = "pattern-master", "foreign-key", "expired-key", "unheard-of"
BROKEN = "Stores?$filter=Note eq"


def digest(key: str) -> str:
    return f"{DIGEST_PREFIX}{hash_key(key.encode()).hex()}"


@pytest.fixture(scope="module")
def server(
    emulator: Emulator, shared_storage: Storage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """P is private with a query key, N private without, O public; S has only a staged version."""
    load(shared_storage, stores("p1", "p2"), "P-source", query_key=digest(ONE))
    load(shared_storage, stores("n1"), "N-source")
    load(shared_storage, stores("o1"), "O-source", public=True)
    load(shared_storage, stores("s1"), "S-source", "completeStaging")
    load(shared_storage, stores("n9"), "N-source", "completeStaging")
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as other:
        of = {"account": shared_storage.account}
        keys = {
            PATTERN: of | {"data_sources": ["N*"]},
            ONE: of | {"role": "query"},
            ANOTHER: of | {"role": "query"},
            EXPIRED: of | {"expires": "2020-01-01T00:00:00Z"},
            FOREIGN: {"account": "other"},
        }
        accounts = {"other": {"storage": {"connection_string": other.connection_string}}}
        folder = tmp_path_factory.mktemp("keys") / "files"
        with start_querying(shared_storage, folder, keys=keys, accounts=accounts) as running:
            yield running


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.envelope["authenticationResultCode"]


@pytest.mark.parametrize(
    ("number", "source", "key", "status", "word"),
    [
        ("K1", "P", None, 401, "NoCredentials"),
        ("K2", "P", UNKNOWN, 401, "InvalidCredentials"),
        ("K3", "P", EXPIRED, 401, "CredentialsExpired"),
        ("K4", "P", ONE, 200, ""),
        ("K4", "P", MASTER, 200, ""),
        ("K5", "P", ANOTHER, 401, "NotAuthorized"),
        ("K6", "P", PATTERN, 401, "NotAuthorized"),
        ("K7", "N", ANOTHER, 200, ""),
        ("K7", "N", PATTERN, 200, ""),
        ("K7", "N", ONE, 200, ""),
        ("K8", "O", ANOTHER, 200, ""),
        ("K9", "P", FOREIGN, 404, "ValidCredentials"),
        ("K9", "N", FOREIGN, 404, "ValidCredentials"),
        ("K9", "O", FOREIGN, 404, "ValidCredentials"),
        ("K11", "P", ONE.lower(), 401, "InvalidCredentials"),
    ],
)
def test_k1_to_k11_who_may_query(
    number: str, source: str, key: str | None, status: int, word: str, server: LiveServer
) -> None:
    assert number
    answer = Queries(server, f"{source}-source").ask("Stores?$format=json", key)
    assert answer.status == status
    if word:
        assert code(answer) == (status, word)
    else:
        assert json.loads(answer.body)["d"]["results"][0]["Id"] == f"{source.lower()}1"


def test_k10_a_key_is_judged_before_the_parameters(server: LiveServer) -> None:
    assert Queries(server, "P-source").ask(BROKEN, UNKNOWN).status == 401
    assert Queries(server, "P-source").ask(BROKEN, ANOTHER).status == 401
    assert Queries(server, "P-source").ask(BROKEN, ONE).status == 400


def test_k12_a_name_under_another_access_id_is_not_found(server: LiveServer) -> None:
    assert Queries(server, "P-source", "0" * 32).refused("Stores", 404, ONE).startswith("There is no such data source")


def test_k13_letter_case_of_the_path_does_not_matter(server: LiveServer) -> None:
    queries = Queries(server, "P-SOURCE")
    path = f"{queries.access_id.upper()}"
    answer = Queries(server, "p-Source", path).ask("sTORES('p1')?$format=json", ONE)
    uri = json.loads(answer.body)["d"]["__metadata"]["uri"]
    assert uri.endswith(f"/REST/v1/data/{queries.access_id}/P-source/Stores('p1')")


def test_k14_nothing_staged_is_not_found(server: LiveServer) -> None:
    Queries(server, "P-source").refused("Stores?isStaging=1", 404, ONE)


def test_k15_the_staged_version_is_its_own(server: LiveServer) -> None:
    queries = Queries(server, "N-source")
    for flag in ("1", "true", "TRUE"):
        assert queries.read(f"Stores?isStaging={flag}", ONE).ids == ["n9"]
    for flag in ("", "0", "false"):
        assert queries.read(f"Stores?isStaging={flag}", ONE).ids == ["n1"]
    assert queries.read("Stores", ONE).ids == ["n1"]


def test_k16_a_source_that_is_only_staged_has_no_published_version(server: LiveServer) -> None:
    queries = Queries(server, "S-source")
    queries.refused("Stores", 404, ONE)
    assert queries.read("Stores?isStaging=1", ONE).ids == ["s1"]


def test_k17_another_staging_flag_is_400(server: LiveServer) -> None:
    assert "isStaging" in Queries(server, "N-source").refused("Stores?isStaging=2", 400, ONE)


@pytest.mark.parametrize(
    "request_",
    [
        "Stores",
        "Stores?$format=json",
        "Stores?$format=json&jsonp=cb",
        "Stores('p1')",
        "Stores('none')",
        "Stores?isStaging=1",
        BROKEN,
        BROKEN + "&jsonp=cb",
        "Others?o=xml",
    ],
)
@pytest.mark.parametrize("key", [ONE, ANOTHER, UNKNOWN, None])
def test_k18_head_is_get_without_a_body(request_: str, key: str | None, server: LiveServer) -> None:
    queries = Queries(server, "P-source")
    by_get, by_head = queries.ask(request_, key), queries.ask(request_, key, "HEAD")
    assert by_head.status == by_get.status
    assert by_head.headers | {"date": ""} == by_get.headers | {"date": ""}
    assert int(by_get.headers["content-length"]) == len(by_get.body) > 0


def test_k19_other_methods_are_405(server: LiveServer) -> None:
    queries = Queries(server, "P-source")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = queries.ask("Stores", ONE, method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.envelope["statusCode"] == 405
    assert queries.ask("Stores", None, "OPTIONS").status == 204


def test_k20_empty_segments_do_not_matter(server: LiveServer) -> None:
    queries = Queries(server, "/P-source/", "/20181f26d9e94c81acdf9496133d4f23")
    assert queries.read("Stores/", ONE).ids == ["p1", "p2"]


def test_k21_metadata_stays_metadata(server: LiveServer) -> None:
    answer = Queries(server, "P-source").ask("$metadata", ONE)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    assert b'<EntityType Name="Stores"' in answer.body
    assert Queries(server, "P-source").ask("$other", ONE).status == 404


def test_k22_bings_own_data_is_not_ours(server: LiveServer) -> None:
    answer = server.get("data/Microsoft/PointsOfInterest", ONE, spatialFilter="nearby(1,2,3)")
    assert (answer.status_code, answer.json()["authenticationResultCode"]) == (404, "ValidCredentials")


def test_k23_a_callback_that_is_no_name_is_not_echoed(server: LiveServer) -> None:
    answer = Queries(server, "P-source").ask("Stores?jsonp=alert(1)//", ONE)
    assert code(answer) == (400, "ValidCredentials")
    assert b"alert" not in answer.body


def test_k24_an_error_is_wrapped_for_the_callers_function(server: LiveServer) -> None:
    answer = Queries(server, "P-source").ask(f"{BROKEN}&jsonp=cb", ONE)
    assert (answer.status, unwrap(answer)["statusCode"]) == (400, 400)


def test_k25_each_page_is_of_one_version(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> None:
    load(storage, stores(*(f"e{number}" for number in range(6)), note="old"))
    with start_querying(storage, tmp_path_factory.mktemp("pages") / "files") as server:
        queries = Queries(server)
        notes = []
        for skip in (0, 2, 4):
            page = queries.read(f"Stores?$top=2&$skip={skip}&$format=json")
            notes.append({each["Note"] for each in page.entities})
            if not skip:
                load(storage, stores(*(f"e{number}" for number in range(6)), note="new"))
        assert notes == [{"old"}, {"new"}, {"new"}]


def test_k26_nothing_is_compressed_unless_asked(server: LiveServer) -> None:
    answer = Queries(server, "P-source").ask("Stores", ONE)
    assert "content-encoding" not in answer.headers
    assert answer.body.startswith(b"<?xml")


def test_a_deleted_data_source_is_not_found(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> None:
    load(storage, stores("a"))
    with start_querying(storage, tmp_path_factory.mktemp("deleted") / "files") as server:
        queries = Queries(server)
        assert queries.read("Stores").ids == ["a"]

        async def delete(desk: Desk) -> None:
            await desk.done(desk.create(JobType.DELETE, SHOPS, staging=False))

        play(storage, delete)
        queries.refused("Stores", 404)
