"""The numbered differences of docs/compatibility.md, a test for each number."""

import pytest
from lxml import etree

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import load
from tests.support.live import QUERY, LiveServer
from tests.support.storage import Storage, int64
from tests.support.stored_jobs import ACCESS_ID, Written, source, version

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def local_names(element: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in element]


def xml_job(server: LiveServer, path: str) -> etree._Element:
    (job,) = server.xml(path).iterfind(".//{*}Resources/*")
    return job


def test_difference_1_a_download_status_is_200_in_both_places(server: LiveServer, storage: Storage) -> None:
    storage.download("Coffee")
    response = server.get("Dataflows/DataSourceDownload/Coffee")
    answer = response.json()
    assert (response.status_code, answer["statusCode"], answer["statusDescription"]) == (200, 200, "OK")


def test_difference_2_nil_is_in_the_true_namespace(server: LiveServer, storage: Storage) -> None:
    storage.download("Coffee", "Pending")
    completed = xml_job(server, "Dataflows/DataSourceDownload/Coffee").find("{*}CompletedDate")
    assert completed is not None
    assert completed.get(XSI_NIL) == "true"


def test_difference_3_every_link_comes_before_the_status(server: LiveServer, storage: Storage) -> None:
    storage.download("Coffee", OutputBlob="exports/a.xml", FailedBlob="exports/b.txt")
    assert local_names(xml_job(server, "Dataflows/DataSourceDownload/Coffee"))[:5] == ["Id", *["Link"] * 3, "Status"]


def test_difference_4_a_load_has_its_link_in_each_spelling(
    storage: Storage, server: LiveServer, start: StartServer
) -> None:
    path = f"Dataflows/LoadDataSource/{storage.job(DataSourceName='Coffee', AccessId='x')}"
    assert [link["role"] for link in server.job(path)["links"]] == ["self", "datasource", "dataSource"]
    documented = start(storage, datasource_roles="datasource")
    assert [link["role"] for link in documented.job(path)["links"]] == ["self", "datasource"]


def test_difference_5_an_output_link_is_signed_or_redirects(
    storage: Storage, server: LiveServer, start: StartServer
) -> None:
    storage.download("Coffee", OutputBlob="exports/a.xml")
    path = "Dataflows/DataSourceDownload/Coffee"
    assert "&sig=" in server.job(path)["links"][1]["url"]
    documented = start(storage, output_links="redirect", public_url="https://spatial.virtualearth.net")
    url = documented.job(path)["links"][1]["url"]
    assert url == "https://spatial.virtualearth.net/REST/v1/dataflows/DataSourceDownload/Coffee/output/succeeded"


def test_difference_6_a_completed_job_can_have_an_error_log(server: LiveServer, storage: Storage) -> None:
    job = storage.job(FailedBlob="exports/b.txt")
    assert [link.get("name") for link in server.job(f"Dataflows/LoadDataSource/{job}")["links"]] == [None, "failed"]


def test_difference_7_a_service_job_is_a_dataflow_job_in_json_status_answers(
    server: LiveServer, storage: Storage
) -> None:
    path = f"data/jobs/{storage.job('DataSourceDelete')}/$getstatus"
    job = server.job(path)
    assert job["__type"].startswith("DataflowJob:")
    assert job["totalEntityCount"] == 0
    assert etree.QName(xml_job(server, path)).localname == "DataServiceJob"


def test_difference_8_an_aborted_jobs_message_stands_in_the_envelope_too(server: LiveServer, storage: Storage) -> None:
    answer = server.json(f"Dataflows/LoadDataSource/{storage.job(status='Aborted', ErrorMessage='No schema.')}")
    assert (answer["statusCode"], answer["errorDetails"]) == (200, ["No schema."])


def test_difference_9_json_is_compact(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    assert b'"resourceSets":[{"estimatedTotal":0,"resources":[]}]' in server.get("Dataflows/ListJobs").content


def test_difference_10_links_have_the_scheme_of_the_public_url(storage: Storage, start: StartServer) -> None:
    plain = start(storage, public_url="http://spatial.example.net")
    (link,) = plain.job(f"Dataflows/LoadDataSource/{storage.job(status='Pending')}")["links"]
    assert link["url"].startswith("http://spatial.example.net/REST/v1/")


def test_difference_11_a_query_key_gets_the_output_of_a_geocode_job(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    geocode = storage.job("Geocode", OutputBlob=storage.export(b"Id,Point"))
    load_job = storage.job(OutputBlob="exports/a.xml")
    listed = server.json("Dataflows/ListJobs", QUERY)["resourceSets"][0]["resources"]
    (job,) = [job for job in listed if job["id"] == geocode]
    assert server.client.get(job["links"][1]["url"] + "?key=query-key").content == b"Id,Point"
    assert server.get(f"Dataflows/ListJobs/{geocode}/output/succeeded", QUERY).status_code == 302
    assert server.get(f"Dataflows/ListJobs/{load_job}/output/succeeded", QUERY).status_code == 401


def test_difference_12_a_downloads_counts_are_those_of_the_row(server: LiveServer, storage: Storage) -> None:
    storage.download("Coffee", ProcessedEntityCount=7, FailedEntityCount=2)
    job = server.job("Dataflows/DataSourceDownload/Coffee")
    assert (job["processedEntityCount"], job["failedEntityCount"]) == (7, 2)


def test_difference_13_a_count_is_an_int32(server: LiveServer, storage: Storage) -> None:
    job = storage.job(TotalEntityCount=int64(5_000_000_000))
    assert server.job(f"Dataflows/LoadDataSource/{job}")["totalEntityCount"] == 2147483647


def test_difference_14_what_xml_cannot_carry_is_replaced_in_both(server: LiveServer, storage: Storage) -> None:
    job = storage.job(Description="a\x01b")
    path = f"Dataflows/LoadDataSource/{job}"
    assert server.job(path)["description"] == "a\ufffdb"
    assert xml_job(server, path).findtext("{*}Description") == "a\ufffdb"


def test_difference_15_the_estimated_total_is_the_number_of_jobs(storage: Storage, start: StartServer) -> None:
    server = start(storage)
    for _ in range(3):
        storage.job()
    (listed,) = server.json("Dataflows/ListJobs")["resourceSets"]
    assert listed["estimatedTotal"] == len(listed["resources"]) == 3


def test_difference_16_a_download_can_be_asked_for_by_its_id(server: LiveServer, storage: Storage) -> None:
    older = new_job_id(parse_ticks("2013-01-03T23:21:58Z"))
    storage.job("DataSourceDownload", DataSourceName="Coffee", RowKey=older, CreatedDate="2013-01-03T23:21:58Z")
    newest = storage.download("Coffee")
    assert server.job("Dataflows/DataSourceDownload/Coffee")["id"] == newest
    job = server.job(f"Dataflows/DataSourceDownload/{older}")
    assert job["id"] == older
    assert job["links"][0]["url"].endswith(f"/DataSourceDownload/{older}")


def test_difference_17_a_created_job_is_201_in_both_places(server: LiveServer, storage: Storage) -> None:
    Written(storage).put(source())
    for path in (f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops", f"data/{ACCESS_ID}/Shops/$updatedatasource"):
        response = server.get(path, setPublic="1")
        answer = response.json()
        assert (response.status_code, answer["statusCode"], answer["statusDescription"]) == (201, 201, "Created")


def test_difference_18_a_publish_and_a_rollback_lead_back_with_the_callers_key(
    server: LiveServer, storage: Storage
) -> None:
    earlier = version()
    Written(storage).put(source(staged=version(), earlier=(earlier,)))
    for path in (f"data/{ACCESS_ID}/Shops/$commit", f"Dataflows/DataSourceRollback/{earlier.job_id}/Shops"):
        response = server.get(path)
        (job,) = response.json()["resourceSets"][0]["resources"]
        assert job["links"][0]["url"] == response.headers["location"] + "?key=master-key"


def test_difference_19_a_created_rollback_is_pending(server: LiveServer, storage: Storage) -> None:
    earlier = version()
    Written(storage).put(source(earlier=(earlier,)))
    path = f"Dataflows/DataSourceRollback/{earlier.job_id}/Shops"
    assert server.job(path)["status"] == "Pending"
    assert xml_job(server, path).findtext("{*}Status") == "Pending"


def test_difference_20_any_master_key_of_the_account_manages_a_data_source(
    storage: Storage, start: StartServer
) -> None:
    server = start(storage, keys={"another": {"account": storage.account}})
    Written(storage).put(source(master_key="sha256:" + "0" * 64))
    assert server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops", "another").status_code == 201


@pytest.mark.parametrize("role", ["master", "query"])
def test_difference_21_a_key_with_patterns_is_reported_of_its_own_data_sources(
    role: str, storage: Storage, start: StartServer
) -> None:
    keyed = {"account": storage.account, "role": role, "data_sources": ["shops"]}
    server = start(storage, keys={"shops": keyed})
    Written(storage).put(source(is_public=True), source("Bars", is_public=True))
    for path in ("data", "data/$GetPublicDataSourceList"):
        for key, names in ((QUERY, ["Bars", "Shops"]), ("shops", ["Shops"])):
            told = server.json(path, key, **{"$format": "json"})["d"]["DataSources"]
            assert [each["Name"] for each in told] == names
    for name, status in (("Shops", 200), ("Bars", 401)):
        assert server.get(f"data/{ACCESS_ID}/{name}", "shops").status_code == status
        assert server.get(f"data/{ACCESS_ID}/{name}/$metadata", "shops").status_code == status


def test_difference_22_the_public_list_is_the_accounts(storage: Storage, start: StartServer) -> None:
    other = {"storage": {"connection_string": storage.connection_string}}
    server = start(storage, accounts={"other": other}, keys={"others": {"account": "other"}})
    Written(storage).put(source(is_public=True))
    for key, names in (("master-key", ["Shops"]), ("others", [])):
        told = server.json("data/$GetPublicDataSourceList", key, **{"$format": "json"})["d"]["DataSources"]
        assert [each["Name"] for each in told] == names


def test_difference_23_json_of_all_versions_is_a_list(server: LiveServer, storage: Storage) -> None:
    staged = version()
    Written(storage).put(source(staged=staged))
    told = server.json(f"data/{ACCESS_ID}/Shops", showAllVersions="true", **{"$format": "json"})["d"]["DataSources"]
    assert [each["IsActive"] for each in told] == ["true", "false"]
    assert (told[1]["JobId"], told[1]["IsStagingDataSource"]) == (staged.job_id, "true")


def test_difference_24_set_public_does_nothing_to_what_is_staged(server: LiveServer, storage: Storage) -> None:
    assert load(server, loadOperation="completeStaging", setPublic="1").status_code == 201
    assert Written(storage).job()["Work"]["public"] is None


def test_difference_25_a_created_access_job_has_its_self_link(server: LiveServer, storage: Storage) -> None:
    Written(storage).put(source())
    response = server.get(f"data/{ACCESS_ID}/Shops/$updatedatasource", setPublic="0")
    (job,) = response.json()["resourceSets"][0]["resources"]
    assert job["links"] == [{"role": "self", "url": response.headers["location"]}]


def test_difference_26_a_version_that_is_not_there_is_not_found(server: LiveServer, storage: Storage) -> None:
    Written(storage).put(source())
    for path in (f"data/{ACCESS_ID}/Shops/$commit", f"Dataflows/DataSourceRollback/{'0' * 32}/Shops"):
        assert server.get(path).status_code == 404


def test_difference_37_a_data_source_name_may_have_hyphens(
    server: LiveServer, storage: Storage, start: StartServer
) -> None:
    name = "Fourth-Coffee-1"
    assert load(server, dataSourceName=name).status_code == 201
    assert Written(storage).job()["DataSourceName"] == name
    Written(storage).put(source(name))
    storage.download(name, OutputBlob="exports/a.xml")
    keyed = start(storage, keys={"coffee": {"account": storage.account, "data_sources": ["fourth-*"]}})
    for key in ("master-key", "coffee"):
        for path in (
            f"Dataflows/DataSourceDownload/{name}",
            f"data/{ACCESS_ID}/{name.upper()}",
            f"data/{ACCESS_ID}/{name}/$metadata",
        ):
            assert keyed.get(path, key).status_code == 200, path
        assert keyed.get(f"Dataflows/Download/{name}/output/succeeded", key).status_code == 302
        (listed,) = keyed.json("Dataflows/ListJobs", key)["resourceSets"][0]["resources"]
        assert listed["name"] == name
    assert keyed.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/{name}", "coffee").status_code == 201
    deleted = server.client.delete(f"{server.url}/REST/v1/data/{ACCESS_ID}/{name}", params={"key": "master-key"})
    assert deleted.status_code == 202
