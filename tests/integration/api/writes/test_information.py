"""Data sources, their versions, their entity types (write-contract.md, "Shapes of the information answers")."""

from typing import Any

import pytest
from lxml import etree

from proxy.formats.schema import EntityType
from tests.conftest import StartServer
from tests.support.live import PUBLIC_URL, QUERY, LiveServer
from tests.support.storage import Storage, ago
from tests.support.stored_jobs import ACCESS_ID, SHOPS, Written, source, version

APP = "{http://www.w3.org/2007/app}"
ATOM = "{http://www.w3.org/2005/Atom}"
BSI = "{http://schemas.microsoft.com/bing/spatial/2010/11/odata}"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"

STAGED, OLDER, OLDEST = version(), version(ago(hours=5)), version(ago(hours=9))
ONE = f"data/{ACCESS_ID}/Shops"
ALL = "data"
PUBLIC = "data/$GetPublicDataSourceList"
PATHS = (ALL, ONE, PUBLIC, "data/$metadata", f"{ONE}/$metadata")
IDS = ("all", "one", "public", "all metadata", "metadata")


def workspaces(server: LiveServer, path: str, key: str = "master-key", **parameters: str) -> list[etree._Element]:
    response = server.get(path, key, **parameters)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/atomsvc+xml")
    assert response.headers["cache-control"] == "no-store"
    return list(etree.fromstring(response.content).iterfind(f"{APP}workspace"))


def titles(server: LiveServer, path: str, key: str = "master-key", **parameters: str) -> list[str | None]:
    return [space.findtext(f"{ATOM}title") for space in workspaces(server, path, key, **parameters)]


def inner(server: LiveServer, path: str, **parameters: str) -> dict[str, Any]:
    response = server.get(path, **parameters | {"$format": "JSON"})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json; charset=utf-8")
    return dict(response.json()["d"])


def test_data_sources_are_listed_by_name(server: LiveServer, written: Written) -> None:
    assert workspaces(server, ALL) == []
    written.put(source("Shops"), source("bars", is_public=True), source("Pubs"))
    assert titles(server, ALL) == ["bars", "Pubs", "Shops"]
    (bars, *_) = workspaces(server, ALL, **{"$format": "Atom"})
    assert bars.attrib.keys() == [f"{BSI}{name}" for name in ("isStagingDataSource", "isActive", "isPublic", "updated")]
    assert bars.attrib.values()[:3] == ["false", "true", "true"]
    collection = bars.find(f"{APP}collection")
    assert collection is not None
    assert collection.get(f"{APP}href") == f"{PUBLIC_URL}/REST/v1/data/{ACCESS_ID}/bars/CoffeeShops"
    assert [each["Name"] for each in inner(server, ALL)["DataSources"]] == ["bars", "Pubs", "Shops"]
    assert [each["IsPublic"] for each in inner(server, ALL)["DataSources"]] == ["true", "false", "false"]


def test_a_data_source_is_found_in_any_letter_case(server: LiveServer, written: Written) -> None:
    written.put(source(staged=STAGED, earlier=(OLDER,)), source("Bars"))
    assert titles(server, f"DATA/{ACCESS_ID.upper()}/SHOPS/") == ["Shops"]
    one = inner(server, ONE)
    assert list(one) == ["Copyright", "Name", "IsPublic", "Updated", "EntitySets"]
    assert (one["Name"], one["EntitySets"]) == ("Shops", ["CoffeeShops"])
    assert "Microsoft" in one["Copyright"]


@pytest.mark.parametrize("asked", ["true", "TRUE", "1", "3"])
def test_all_versions_are_current_staged_and_earlier(asked: str, server: LiveServer, written: Written) -> None:
    written.put(source(staged=STAGED, earlier=(OLDER, OLDEST), is_public=True))
    spaces = workspaces(server, ONE, showAllVersions=asked)
    assert [space.findtext(f"{ATOM}jobId") for space in spaces][1:] == [each.job_id for each in (STAGED, OLDER, OLDEST)]
    assert [space.get(f"{BSI}isActive") for space in spaces] == ["true", "false", "false", "false"]
    assert [space.get(f"{BSI}isStagingDataSource") for space in spaces] == ["false", "true", "false", "false"]
    assert [space.get(f"{BSI}isPublic") for space in spaces] == ["true", "false", "true", "true"]
    assert [space.get(f"{BSI}uploaded") is None for space in spaces] == [True, False, True, True]
    assert [each["JobId"] for each in inner(server, ONE, showAllVersions=asked)["DataSources"]] == [
        space.findtext(f"{ATOM}jobId") for space in spaces
    ]


def test_a_staged_version_is_shown_until_it_expires(server: LiveServer, written: Written) -> None:
    written.put(source(published=None, staged=STAGED))
    (space,) = workspaces(server, ONE)
    assert (space.get(f"{BSI}isStagingDataSource"), space.get(f"{BSI}isActive")) == ("true", "false")
    assert titles(server, ALL) == ["Shops"]
    written.put(source(published=None, staged=STAGED, staged_until=STAGED.updated))
    assert titles(server, ALL) == []
    for path in (ONE, f"{ONE}/$metadata"):
        assert server.get(path).status_code == 404


def test_public_data_sources_have_a_disclaimer(server: LiveServer, written: Written) -> None:
    written.put(source("Shops", is_public=True), source("Bars"), source("Pubs", is_public=True, published=None))
    (space,) = workspaces(server, PUBLIC)
    assert space.findtext(f"{ATOM}title") == "Shops"
    assert space.findtext(f"{ATOM}disclaimer")
    (told,) = inner(server, PUBLIC)["DataSources"]
    assert (told["IsPublic"], bool(told["Disclaimer"]), "Uploaded" in told) == (True, True, True)


def test_the_metadata_has_the_entity_type_and_its_container(server: LiveServer, written: Written) -> None:
    written.put(source(staged=version(entity_type=EntityType("Newer", SHOPS.properties, "EntityID"))), source("Bars"))
    response = server.get(f"{ONE}/$metadata", **{"$format": "json"})
    assert response.headers["content-type"] == "application/xml; charset=utf-8"
    root = etree.fromstring(response.content)
    assert [schema.get("Namespace") for schema in root.iter(f"{EDM}Schema")] == ["ShopsDataSource", "Shops"]
    assert [each.get("Name") for each in root.iter(f"{EDM}Property")] == [each.name for each in SHOPS.properties]
    (container,) = root.iter(f"{EDM}EntityContainer")
    published = source().published
    assert published is not None
    assert container.get("JobID") != STAGED.job_id
    root = etree.fromstring(server.get(f"{ONE}/$metadata", showAllVersions="1").content)
    assert [each.get("Name") for each in root.iter(f"{EDM}EntityType")] == ["CoffeeShops", "Newer"]
    root = etree.fromstring(server.get("data/$METADATA").content)
    spaces = [schema.get("Namespace") for schema in root.iter(f"{EDM}Schema")]
    assert spaces == ["BarsDataSource", "Bars", "ShopsDataSource", "Shops"]


def test_a_restricted_key_sees_its_data_sources_only(storage: Storage, start: StartServer) -> None:
    keys = {"shops": {"account": storage.account, "data_sources": ["SHOP*"]}}
    server, written = start(storage, keys=keys), Written(storage)
    written.put(source("Shops", is_public=True), source("Bars", is_public=True))
    assert titles(server, ALL, "shops") == titles(server, PUBLIC, "shops") == ["Shops"]
    root = etree.fromstring(server.get("data/$metadata", "shops").content)
    assert [each.get("Name") for each in root.iter(f"{EDM}EntityContainer")] == ["ShopsContext"]
    response = server.get(f"data/{ACCESS_ID}/Bars", "shops")
    assert (response.status_code, response.json()["authenticationResultCode"]) == (401, "NotAuthorized")


@pytest.mark.parametrize("path", PATHS, ids=IDS)
@pytest.mark.parametrize("parameters", [{}, {"showAllVersions": "true"}, {"$format": "json"}], ids=str)
def test_a_query_key_reads_the_same_information(
    path: str, parameters: dict[str, str], server: LiveServer, written: Written
) -> None:
    written.put(source(is_public=True, staged=STAGED, earlier=(OLDER,)), source("Bars"))
    told = server.get(path, QUERY, **parameters)
    assert (told.status_code, told.content) == (200, server.get(path, **parameters).content)


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_key_that_may_not_gets_the_envelope(path: str, server: LiveServer, written: Written) -> None:
    written.put(source(is_public=True))
    for key, code in ((None, "NoCredentials"), ("unheard-of", "InvalidCredentials")):
        for parameters in ({}, {"$format": "atom"}, {"$format": "pdf"}, {"showAllVersions": "x"}):
            response = server.get(path, key, **parameters)
            assert (response.status_code, response.json()["authenticationResultCode"]) == (401, code)
        root = etree.fromstring(server.get(path, key, o="xml").content)
        assert root.findtext("{*}AuthenticationResultCode") == code


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_wrong_parameter_is_named(path: str, server: LiveServer, written: Written) -> None:
    written.put(source())
    wrong = [{"o": "pdf"}]
    wrong += [] if "metadata" in path else [{"$format": "xml"}]
    wrong += [] if path == PUBLIC else [{"showAllVersions": "all"}]
    for parameters in wrong:
        response = server.get(path, **parameters)
        (name,) = parameters
        assert response.status_code == 400
        assert name in response.json()["errorDetails"][0]


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_information_is_read_each_time_also_by_head(path: str, storage: Storage, start: StartServer) -> None:
    server, written = start(storage, pending_ttl=60, finished_ttl=60), Written(storage)
    written.put(source(is_public=True))
    before = server.get(path)
    head = server.client.head(f"{server.url}/REST/v1/{path}", params={"key": "master-key"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(before.content))
    written.put(
        source(is_public=True, published=version(entity_type=EntityType("Newer", SHOPS.properties, "EntityID")))
    )
    assert "Newer" in server.get(path).text


def test_a_row_that_can_not_be_read_hides_no_other(server: LiveServer, written: Written) -> None:
    written.put(source("Shops"), source("Bars", access_id=""))
    assert titles(server, ALL) == ["Shops"]
    assert server.get(f"data/{ACCESS_ID}/Bars").status_code == 500
