"""What an account may have, and a name that is being deleted (write-contract.md, "Data sources")."""

import httpx
import pytest

from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import load, refused
from tests.support.live import MASTER, LiveServer
from tests.support.storage import Storage, ago
from tests.support.stored_jobs import ACCESS_ID, Written, source, version

PENDING = "Pending"


def delete(server: LiveServer, name: str = "Shops", **parameters: str) -> httpx.Response:
    return server.client.delete(f"{server.url}/REST/v1/data/{ACCESS_ID}/{name}", params=parameters | {"key": MASTER})


def test_an_account_has_so_many_data_sources(storage: Storage, start: StartServer) -> None:
    server, written = start(storage, max_data_sources=2), Written(storage)
    written.put(source("Shops"))
    assert load(server, dataSourceName="Bars").status_code == 201
    response = load(server, dataSourceName="Pubs")
    assert refused(response)[0] == 403
    assert response.json()["authenticationResultCode"] == "ValidCredentials"
    # What exists, or is on its way already, makes none more.
    assert load(server, dataSourceName="SHOPS").status_code == 201
    assert load(server, dataSourceName="bars").status_code == 201
    assert len(written.uploads()) == 3


def test_an_account_has_so_many_jobs_under_way(storage: Storage, start: StartServer) -> None:
    server, written = start(storage, max_active_jobs=2), Written(storage)
    written.put(source(staged=version()))
    storage.job("Geocode", "Completed")
    storage.job("DataSourceComplete", "Aborted")
    assert load(server).status_code == 201
    assert server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops").status_code == 201
    for response in (
        load(server),
        server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops"),
        server.get(f"data/{ACCESS_ID}/Shops/$commit"),
        delete(server),
    ):
        assert (response.status_code, response.json()["statusDescription"]) == (503, "Service Unavailable")
        assert response.json()["authenticationResultCode"] == "ValidCredentials"
        assert response.json()["errorDetails"] == ["JobUsageQuota: Account already has 2 'Pending' jobs."]
        assert int(response.headers["retry-after"]) > 0
    assert len(written.queued()) == 2


def test_jobs_that_were_imported_count_in_no_limit(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_jobs_per_day=2, max_active_jobs=1)
    for number in range(3):
        storage.job(status=PENDING, LegacyId=f"bing{number}")
    assert load(server).status_code == 201
    assert refused(load(server))[0] == 503


def test_geocode_jobs_count_in_both_limits(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_jobs_per_day=3, max_active_jobs=1)
    pending = storage.job("Geocode", PENDING)
    assert refused(load(server)) == (503, "JobUsageQuota: Account already has 1 'Pending' jobs.")
    storage.table.update_entity({"PartitionKey": storage.account, "RowKey": pending, "Status": "Completed"})
    assert load(server).status_code == 201
    storage.job("Geocode", "Aborted")
    assert refused(load(server)) == (503, "JobUsageQuota: Account has already submitted 3 jobs in the past 24 hours.")


def test_an_account_creates_so_many_jobs_in_a_day(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_jobs_per_day=2)
    Written(storage).put(source())
    storage.job(CreatedDate=ago(hours=25))
    storage.job(CreatedDate=ago(hours=23))
    assert load(server).status_code == 201
    response = load(server)
    assert refused(response) == (503, "JobUsageQuota: Account has already submitted 2 jobs in the past 24 hours.")
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("begun", [True, False])
def test_a_name_can_not_be_used_while_it_is_being_deleted(begun: bool, server: LiveServer, written: Written) -> None:  # noqa: FBT001 - a table's column
    written.put(source(staged=version(), earlier=(version(),)))
    assert delete(server).status_code == 202
    job = written.job()["RowKey"]
    if begun:
        written.put(source(deleting=job))
    answers = [
        load(server),
        load(server, dataSourceName="shops", loadOperation="incremental"),
        delete(server, "SHOPS"),
        server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops"),
        server.get(f"data/{ACCESS_ID}/Shops/$commit"),
        server.get(f"data/{ACCESS_ID}/Shops/$updatedatasource", setPublic="1"),
    ]
    for answer in answers:
        status, detail = refused(answer)
        assert (status, "being deleted" in detail) == (400, True)
    assert written.queued() == [job]
    assert load(server, dataSourceName="Bars").status_code == 201
    storage_row = {"PartitionKey": written.storage.account, "RowKey": job, "Status": "Completed"}
    written.storage.table.update_entity(storage_row)
    written.put(source())
    assert load(server).status_code == 201


def test_deleting_what_is_staged_blocks_nothing(server: LiveServer, written: Written) -> None:
    written.put(source(staged=version()))
    assert delete(server, isStaging="1").status_code == 202
    assert load(server).status_code == 201


def test_a_delete_job_of_another_hand_blocks_its_name(server: LiveServer, written: Written) -> None:
    written.storage.job("DataSourceDelete", PENDING, DataSourceName="SHOPS")
    assert refused(load(server))[0] == 400
    assert load(server, dataSourceName="Bars").status_code == 201


@pytest.mark.parametrize("work", ["no JSON", "[]", "null", "7"])
def test_an_unreadable_delete_job_blocks_its_name(work: str, server: LiveServer, written: Written) -> None:
    written.storage.job("DataSourceDelete", PENDING, DataSourceName="Shops", Work=work)
    assert refused(load(server))[0] == 400
    assert load(server, dataSourceName="Bars").status_code == 201
