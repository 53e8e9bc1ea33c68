"""wire-contract.md, section 1: HEAD works wherever GET does, and says what GET would, without its body."""

import pytest

from tests.support.job_samples import OUTPUT_PATHS, SAMPLES, STATUS_PATHS, rich_job
from tests.support.live import LiveServer
from tests.support.raw_http import connection, get, target
from tests.support.storage import Storage

ERRORS = ("Dataflows/LoadDataSource/none", "Dataflows")


def comparable(headers: dict[str, str]) -> dict[str, str]:
    """What must be the same; two links signed a second apart differ."""
    return {name: value for name, value in headers.items() if name not in {"date", "location"}}


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", STATUS_PATHS[0], OUTPUT_PATHS[0], *ERRORS])
@pytest.mark.parametrize("output", ["json", "xml"])
def test_head_is_get_without_the_body(path: str, output: str, proxy: LiveServer, account: Storage) -> None:
    (job_type, *_) = [sample.job_type for sample in SAMPLES if path.startswith(sample.path)] or ["Geocode"]
    asked = target(path.format(rich_job(account, job_type)), o=output)
    with connection(proxy) as opened:
        by_get = opened.ask(get(asked))
        opened.send(get(asked, method="HEAD"))
        by_head = opened.answer("HEAD")
        assert by_head.status == by_get.status
        assert comparable(by_head.headers) == comparable(by_get.headers)
        # A body would stand before this answer.
        assert opened.ask(get(asked)).status == by_get.status


def test_head_without_a_key_is_unauthorized(proxy: LiveServer) -> None:
    response = proxy.client.head(f"{proxy.url}/REST/v1/Dataflows/ListJobs")
    assert (response.status_code, response.content) == (401, b"")
    assert int(response.headers["content-length"]) > 0
