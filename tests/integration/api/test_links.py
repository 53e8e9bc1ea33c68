"""Wire contract, section 3, "Links": which links a job has, in which order, and how they are called."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from lxml import etree

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, SAMPLES, Sample, path_of, rich_job
from tests.support.live import PUBLIC_URL, LiveServer, start_server
from tests.support.storage import Storage

SELF = ("self", None)
SUCCEEDED, FAILED = ("output", "succeeded"), ("output", "failed")
SERVICES = [("datasource", "service"), ("dataSource", "service")]

# What a Completed job of a type has besides its own link and its outputs.
SERVICES_OF = {
    "DataSourceComplete": SERVICES,
    "DataSourceIncremental": SERVICES,
    "DataSourceCompleteStaging": SERVICES,
    "DataSourceIncrementalStaging": SERVICES,
    "DataSourceRollback": SERVICES,
    "DataSourceAccess": SERVICES[1:],
}


BASES = ("https://spatial.virtualearth.net", "http://maps.example:8080/sds/")


@pytest.fixture(scope="module")
def redirecting(account: Storage) -> Iterator[dict[str, LiveServer]]:
    """Servers whose output links stay on them, by their public URL."""
    with ExitStack() as stack:
        yield {
            base: stack.enter_context(start_server(account, output_links="redirect", public_url=base)) for base in BASES
        }


def named(job: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Roles and names of a job's links, in their order."""
    return [(link["role"], link.get("name")) for link in job.get("links", [])]


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_links_come_in_the_order_that_scripts_index_them_by(job_type: str, proxy: LiveServer, account: Storage) -> None:
    path = path_of(job_type, rich_job(account, job_type))
    expected = [SELF, SUCCEEDED, FAILED, *SERVICES_OF.get(job_type, [])]
    assert named(proxy.job(path)) == expected
    links = proxy.xml(path).findall(".//{*}Link")
    assert [(link.get("role"), link.get("name")) for link in links] == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Pending", [SELF, FAILED]),
        ("Aborted", [SELF, FAILED]),
        ("Completed", [SELF, SUCCEEDED, FAILED, *SERVICES]),
    ],
)
def test_only_a_completed_job_links_to_its_output_but_any_to_its_error_log(
    status: str, expected: list[tuple[str, str | None]], proxy: LiveServer, account: Storage
) -> None:
    path = path_of("DataSourceComplete", rich_job(account, status=status))
    assert named(proxy.job(path)) == expected
    assert proxy.get(path + "/output/succeeded").status_code == (302 if SUCCEEDED in expected else 404)
    assert proxy.get(path + "/output/failed").status_code == 302


@pytest.mark.parametrize("missing", ["AccessId", "DataSourceName"])
def test_a_load_without_what_its_service_url_needs_has_no_such_link(
    missing: str, proxy: LiveServer, account: Storage
) -> None:
    assert named(proxy.job(path_of("DataSourceComplete", rich_job(account, **{missing: ""})))) == [
        SELF,
        SUCCEEDED,
        FAILED,
    ]


def test_members_of_a_link_stand_in_the_order_that_clients_read_them_in(proxy: LiveServer, account: Storage) -> None:
    path = path_of("DataSourceComplete", rich_job(account))
    links = proxy.job(path)["links"]
    assert [list(link) for link in links] == [["role", "url"], *[["name", "role", "url"]] * 4]
    assert [list(link.attrib) for link in proxy.xml(path).iterfind(".//{*}Link")] == [["role"], *[["role", "name"]] * 4]


def test_every_link_of_xml_stands_before_the_status_and_before_white_space(proxy: LiveServer, account: Storage) -> None:
    (job,) = proxy.xml(path_of("DataSourceComplete", rich_job(account))).iterfind(".//{*}Resources/*")
    names = [etree.QName(child).localname for child in job]
    assert names[:7] == ["Id", *["Link"] * 5, "Status"]
    assert all(link.tail is not None and link.tail.isspace() for link in job.iterfind("{*}Link"))


def test_a_service_link_names_access_id_and_data_source(proxy: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, DataSourceName="Fourth`Coffee", AccessId="20181f26d9e9")
    urls = [link["url"] for link in proxy.job(path_of("DataSourceComplete", job_id))["links"][3:]]
    assert urls == [f"{PUBLIC_URL}/REST/v1/data/20181f26d9e9/Fourth%60Coffee"] * 2


def test_the_spellings_of_the_service_links_role_are_a_setting(account: Storage, start: StartServer) -> None:
    documented = start(account, datasource_roles="datasource")
    assert named(documented.job(path_of("DataSourceRollback", rich_job(account, "DataSourceRollback"))))[3:] == [
        ("datasource", "service")
    ]
    assert named(documented.job(path_of("DataSourceAccess", rich_job(account, "DataSourceAccess"))))[3:] == [
        ("dataSource", "service")
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=JOB_TYPES)
@pytest.mark.parametrize("base", BASES)
def test_links_on_the_proxy_lead_where_the_job_is_found(
    *, sample: Sample, base: str, account: Storage, redirecting: dict[str, LiveServer]
) -> None:
    server = redirecting[base]
    job_id = rich_job(account, sample.job_type)
    links = server.job(sample.path.format(job_id))["links"][:3]
    prefix = base.rstrip("/")
    output_path = "dataflows/ListJobs/{}" if sample.path.startswith("data/") else sample.self_path
    assert [link["url"].removeprefix(prefix) for link in links] == [
        "/REST/v1/" + sample.self_path.format(job_id),
        "/REST/v1/" + output_path.format(job_id) + "/output/succeeded",
        "/REST/v1/" + output_path.format(job_id) + "/output/failed",
    ]
    answers = [server.client.get(link["url"].replace(prefix, server.url) + "?key=master-key") for link in links]
    assert [answer.status_code for answer in answers] == [200, 302, 302]
