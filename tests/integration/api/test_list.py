"""wire-contract.md, section 6: the job list."""

from lxml import etree

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, rich_job
from tests.support.live import LiveServer
from tests.support.storage import Storage, ago, date

LIST = "Dataflows/ListJobs"


def ids(server: LiveServer) -> list[str]:
    """The ids in the list, in its order; both formats have the same."""
    (found,) = server.json(LIST)["resourceSets"]
    in_json = [str(job["id"]) for job in found["resources"]]
    answer = server.xml(LIST)
    assert [element.text for element in answer.iterfind(".//{*}Resources/*/{*}Id")] == in_json
    assert found["estimatedTotal"] == int(answer.findtext(".//{*}EstimatedTotal") or "-1") == len(in_json)
    return in_json


def test_an_empty_list_is_one_empty_resource_set(server: LiveServer) -> None:
    assert server.json(LIST)["resourceSets"] == [{"estimatedTotal": 0, "resources": []}]
    (found,) = server.xml(LIST).iterfind("{*}ResourceSets/{*}ResourceSet")
    assert [etree.QName(child).localname for child in found] == ["EstimatedTotal", "Resources"]
    assert len(found[1]) == 0


def test_the_list_reaches_back_15_days(server: LiveServer, storage: Storage) -> None:
    inside = [storage.job(CreatedDate=ago(days=14, hours=23, minutes=59)), storage.job(CreatedDate=ago(days=1))]
    storage.job(CreatedDate=ago(days=15, minutes=1))
    storage.job(CreatedDate=ago(days=400))
    assert ids(server) == inside[::-1]


def test_the_window_is_a_setting(storage: Storage, start: StartServer) -> None:
    server = start(storage, job_window_days=2)
    inside = storage.job(CreatedDate=ago(days=1, hours=23))
    storage.job(CreatedDate=ago(days=2, minutes=1))
    assert ids(server) == [inside]


def test_the_created_date_outranks_the_id(server: LiveServer, storage: Storage) -> None:
    late_id = new_job_id(parse_ticks(ago(days=14, hours=23)))
    storage.job(RowKey=late_id, CreatedDate=ago(days=15, minutes=5))
    early_id = new_job_id(parse_ticks(ago(days=15, minutes=5)))
    storage.job(RowKey=early_id, CreatedDate=ago(days=14, hours=23))
    assert ids(server) == [early_id]


def test_the_list_mixes_types_without_downloads(server: LiveServer, storage: Storage) -> None:
    written = {job_type: rich_job(storage, job_type, CreatedDate=ago(hours=1)) for job_type in JOB_TYPES}
    storage.download("Coffee", "Pending")
    del written["DataSourceDownload"]
    assert set(ids(server)) == set(written.values())
    service = {"DataSourcePublishFromStaged", "DataSourceDelete", "DataSourceAccess"}
    for job in server.json(LIST)["resourceSets"][0]["resources"]:
        kind = job["__type"].partition(":")[0]
        assert job["id"] == written[job["description"]]
        assert kind == ("DataServiceJob" if job["description"] in service else "DataflowJob")
        assert ("totalEntityCount" in job) == (kind == "DataflowJob")
        assert ("name" in job) == (job["description"] != "Geocode")
    for element in server.xml(LIST).iterfind(".//{*}Resources/*"):
        is_service = element.findtext("{*}Description") in service
        assert etree.QName(element).localname == ("DataServiceJob" if is_service else "DataflowJob")


def test_an_imported_job_is_listed_once_by_its_id_from_bing(server: LiveServer, storage: Storage) -> None:
    storage.alias("alias:id:old-1", storage.job(LegacyId="Old-1"))
    assert ids(server) == ["Old-1"]


def test_more_jobs_than_one_page_of_a_table_are_all_listed(server: LiveServer, storage: Storage) -> None:
    created = date(ago(hours=2))
    moment = parse_ticks(ago(hours=2))
    rows = [
        {"PartitionKey": storage.account, "RowKey": new_job_id(moment)}
        | {"JobType": "Geocode", "Status": "Completed", "CreatedDate": created}
        for _ in range(1100)
    ]
    for start in range(0, len(rows), 100):
        storage.table.submit_transaction([("create", row) for row in rows[start : start + 100]])
    assert set(ids(server)) == {row["RowKey"] for row in rows}


def test_rows_of_other_accounts_in_the_same_table_are_not_listed(server: LiveServer, storage: Storage) -> None:
    job_id = storage.job()
    row = {"JobType": "Geocode", "Status": "Completed", "CreatedDate": date(ago(hours=1))}
    for other in (storage.account + "x", storage.account[:-1], "zzz", "aaa"):
        storage.table.upsert_entity({"PartitionKey": other, "RowKey": new_job_id(parse_ticks(ago(hours=1)))} | row)
    assert ids(server) == [job_id]


def test_partitions_of_the_program_itself_are_not_listed(server: LiveServer, storage: Storage) -> None:
    other = storage.job(PartitionKey=f"~workers:{storage.account}")
    job = storage.job()
    assert ids(server) == [job]
    assert server.get(f"Dataflows/LoadDataSource/{other}").status_code == 404
