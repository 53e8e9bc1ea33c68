"""What endpoints list, as the service and as this project write it."""

from pathlib import Path

import pytest

from proxy.comparison.job_list import read_jobs
from proxy.comparison.service_document import DocumentError, read_schemas, read_service_document

EXAMPLES = Path(__file__).parents[2] / "documented/examples"
BSI = "http://schemas.microsoft.com/bing/spatial/2010/11/odata"
PATH = "data/20181f26d9e94c81acdf9496133d4f23/Caf%C3%A9-1/Shops"
DOCUMENT = f"""
<app:service xmlns:app="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:bsi="{BSI}">
  <app:workspace bsi:updated="2008-04-10T06:30:00-07:00" bsi:isPublic="true">
    <atom:title>Café-1</atom:title>
    <app:collection app:href="https://spatial.virtualearth.net/REST/v1/{PATH}"><atom:title>Shops</atom:title>
    </app:collection>
  </app:workspace>
  <app:workspace isStagingDataSource="true" isActive="false" isPublic="false" uploaded="2013-02-22T19:51:58Z">
    <atom:title>B</atom:title><atom:jobId>f25</atom:jobId>
    <app:collection href="http://127.0.0.1:8080/rest/v1/data/b/B/Types/"><atom:title>Types</atom:title></app:collection>
  </app:workspace>
  <app:workspace><app:collection app:href="https://[/x"/><app:collection app:href="/elsewhere"/></app:workspace>
</app:service>"""


def test_service_document_lists_data_sources() -> None:
    first, second = read_service_document(DOCUMENT.encode())
    assert (first.name, first.access_id, first.entity_type, first.path) == (
        "Café-1",
        "20181f26d9e94c81acdf9496133d4f23",
        "Shops",
        PATH,
    )
    assert (first.is_public, first.is_active, first.is_staging) == (True, True, False)
    assert first.updated == "2008-04-10T06:30:00-07:00"
    assert first.parent == PATH.removesuffix("/Shops")
    assert (second.is_staging, second.is_active, second.updated, second.job_id) == (
        True,
        False,
        "2013-02-22T19:51:58Z",
        "f25",
    )
    assert second.path == "data/b/B/Types"


def test_metadata_has_schemas() -> None:
    (schema,) = read_schemas(
        b'<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices><Schema xmlns="e">'
        b'<EntityType Name="Shops"><Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Edm.String"/>'
        b'<Property Name="Open" Type="Edm.Boolean"/></EntityType></Schema></edmx:DataServices></edmx:Edmx>'
    )
    assert (schema.entity_type, schema.key, schema.type_of("Open"), schema.type_of("No")) == (
        "Shops",
        "Id",
        "Edm.Boolean",
        "",
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"<html/>", b"<", b"," * 700_000, b"<!DOCTYPE a><a/>", b"[" * 100_000])
def test_other_bodies_are_no_documents(body: bytes) -> None:
    for read in (read_service_document, read_schemas, read_jobs):
        with pytest.raises(DocumentError):
            read(body)


@pytest.mark.parametrize("name", ["get-job-list.json", "get-job-list.xml"])
def test_job_list_has_jobs_with_their_status_paths(name: str) -> None:
    jobs = read_jobs((EXAMPLES / name).read_bytes())
    geocode = next(each for each in jobs if each.description == "Geocode")
    load = next(each for each in jobs if each.description == "DataSourceComplete")
    assert geocode.status_path == "Dataflows/Geocode/{}"
    assert "/Geocode/" in geocode.link("self")
    assert load.status_path == "Dataflows/LoadDataSource/{}"
    assert load.values["totalEntityCount"].isdigit()
    assert load.link("output", "succeeded") == ""


def test_status_answer_has_one_job() -> None:
    (job,) = read_jobs((EXAMPLES / "get-load-data-source-status-pending.xml").read_bytes())
    assert job.status == "Pending"
