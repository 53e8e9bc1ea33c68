"""wire-contract.md, section 3, "Links": which links a job has, in which order, and how they are called."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.job_samples import SAMPLES, Sample, path_of, rich_job
from tests.support.live import LiveServer, start_server
from tests.support.storage import Storage

SELF = ("self", None)
SUCCEEDED, FAILED = ("output", "succeeded"), ("output", "failed")
SERVICES = [("datasource", "service"), ("dataSource", "service")]


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


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Pending", [SELF, FAILED]),
        ("Aborted", [SELF, FAILED]),
        ("Completed", [SELF, SUCCEEDED, FAILED, *SERVICES]),
    ],
)
def test_only_a_completed_job_links_to_its_output(
    status: str, expected: list[tuple[str, str | None]], proxy: LiveServer, account: Storage
) -> None:
    path = path_of("DataSourceComplete", rich_job(account, status=status))
    assert named(proxy.job(path)) == expected
    assert proxy.get(path + "/output/succeeded").status_code == (302 if SUCCEEDED in expected else 404)
    assert proxy.get(path + "/output/failed").status_code == 302


@pytest.mark.parametrize(("sample", "base"), [*((each, BASES[0]) for each in SAMPLES), (SAMPLES[0], BASES[1])])
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
