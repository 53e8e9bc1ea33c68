"""Publish, load, rollback and staging show in the next query, and documents lead to its URL (query-api.md, 7.1)."""

from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableEntity, UpdateMode
from lxml import etree

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.jobs import BlobPath, JobStatus, JobType
from proxy.api import query
from proxy.query.request import Request
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.live import LiveServer
from tests.support.queries import BASE, SHOPS, Queries, load, stores
from tests.support.query_answers import read
from tests.support.storage import Storage, ago, date
from tests.support.stored_jobs import ACCESS_ID
from tests.support.worker_desk import Desk, play


def run(storage: Storage, job_type: JobType, **work: Any) -> None:
    """Runs a job on the data source."""

    async def story(desk: Desk) -> None:
        job = await desk.done(desk.create(job_type, SHOPS, **work))
        assert job.status is JobStatus.COMPLETED, job.error_message

    play(storage, story)


def delete_blobs(storage: Storage) -> None:
    for blob in storage.blobs.get_container_client("datasources").list_blobs(storage.account):
        storage.blobs.get_blob_client("datasources", blob.name).delete_blob()


def test_each_change_of_version_shows_in_the_next_query(storage: Storage, querying: StartQuerying) -> None:
    queries = Queries(querying(storage))
    load(storage, stores("a"))
    assert queries.read("Stores").ids == ["a"]
    second = load(storage, stores("b"))
    assert queries.read("Stores").ids == ["b"]
    load(storage, stores("c"), operation="incremental")
    assert queries.read("Stores").ids == ["b", "c"]
    load(storage, stores("d"), operation="completeStaging")
    assert queries.read("Stores").ids == ["b", "c"]
    assert queries.read("Stores?isStaging=true").ids == ["d"]
    run(storage, JobType.PUBLISH)
    assert queries.read("Stores").ids == ["d"]
    queries.refused("Stores?isStaging=true", 404)
    run(storage, JobType.ROLLBACK, version=second)
    assert queries.read("Stores").ids == ["b"]


def test_a_staged_version_past_its_date_is_not_found(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"), operation="completeStaging")
    queries = Queries(querying(storage))
    assert queries.read("Stores?isStaging=1").ids == ["a"]
    with storage.datasources() as table:
        table.upsert_entity(dict(storage.data_source(SHOPS.lower())) | {"StagedUntil": date(ago(hours=1))})
    queries.refused("Stores?isStaging=1", 404)


def test_another_entity_type_of_the_next_version_is_the_one_that_is_there(
    storage: Storage, querying: StartQuerying
) -> None:
    queries = Queries(querying(storage))
    load(storage, stores("a"))
    load(storage, stores("b").replace(b"Stores", b"Branches").replace(b"Note", b"Remark"))
    assert queries.read("Branches?$select=Remark").ids == ["b"]
    queries.refused("Stores", 404)
    queries.refused("Branches?$select=Note", 400)


def test_a_version_is_read_from_storage_once(storage: Storage, querying: StartQuerying, folder: Path) -> None:
    load(storage, stores("a"))
    queries = [Queries(querying(storage)) for _ in range(2)]
    for each in queries:
        for _ in range(3):
            assert each.read("Stores").ids == ["a"]
    assert len(list(folder.glob("*.arrow"))) == 1
    delete_blobs(storage)
    assert queries[0].read("Stores").ids == ["a"]


def test_a_blob_that_is_deleted_meanwhile_is_looked_up_again(
    storage: Storage, querying: StartQuerying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is read; then another version is published and the first one's blob deleted; then the fetch begins."""
    load(storage, stores("old"))
    old = storage.data_source(SHOPS.lower())
    load(storage, stores("new"))
    new = storage.data_source(SHOPS.lower())
    queries, chosen = Queries(querying(storage)), list[BlobPath]()
    choose = query._choose_version  # noqa: SLF001 - the moment between the read of the row and the fetch

    def choose_and_publish(source: DataSource, request: Request) -> DataSourceVersion:
        version = choose(source, request)
        if not chosen:
            write(new)
            storage.blobs.get_blob_client(version.blob.container, version.blob.name).delete_blob()
        chosen.append(version.blob)
        return version

    def write(row: TableEntity) -> None:
        with storage.datasources() as table:
            table.upsert_entity(row, mode=UpdateMode.REPLACE)

    write(old)
    monkeypatch.setattr(query, "_choose_version", choose_and_publish)
    assert queries.read("Stores").ids == ["new"]
    assert len(chosen) == 2


def test_a_blob_that_is_gone_is_a_503(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"))
    delete_blobs(storage)
    queries = Queries(querying(storage))
    answer = queries.ask("Stores")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    load(storage, stores("b"))
    assert queries.read("Stores").ids == ["b"]


def test_the_service_document_leads_to_the_query(served: LiveServer, shops: Queries) -> None:
    document = etree.fromstring(served.get("data", "query-key").content)
    (href,) = [
        str(each.attrib["{http://www.w3.org/2007/app}href"])
        for each in document.iterfind(".//{*}collection")
        if SHOPS in str(each.attrib)
    ]
    assert href == f"{BASE}/REST/v1/data/{ACCESS_ID}/{SHOPS}/FourthCoffeeShops"
    answer = served.client.get(href.replace(BASE, served.url), params={"key": "query-key", "$top": "1"})
    assert read(answer.content).ids == shops.read("FourthCoffeeShops?$top=1").ids


def test_metadata_names_the_properties_that_answers_have(shops: Queries) -> None:
    metadata = etree.fromstring(shops.ask("$metadata").body)
    names = [str(each.attrib["Name"]) for each in metadata.iterfind(".//{*}EntityType/{*}Property")]
    (entity,) = shops.read("FourthCoffeeShops?$top=1").entities
    assert list(entity) == names
    assert [each.attrib["Name"] for each in metadata.iterfind(".//{*}EntityType")] == ["FourthCoffeeShops"]
