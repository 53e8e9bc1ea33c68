"""The read-only promise: GET and HEAD, and of those only what creates nothing."""

import os
import subprocess
import sys
from http import HTTPStatus

import pytest

from proxy.conformance.allowlist import is_read_only
from proxy.conformance.client import Client, NotReadOnlyError, Target
from proxy.conformance.exchange import ROOT, Purpose, Request
from proxy.conformance.recording import Recording
from proxy.conformance.request_plan import ERRORS, FIRST, LISTS, WITH_KEY
from proxy.conformance.target import parse_base_url
from tests.conftest import StartServer
from tests.integration.conformance.accounts import record_of
from tests.support.storage import Storage

CREATING = (
    "Dataflows/DataSourceDownload/20181f26/Shop",
    "Dataflows/DataSourceDownload/20181f26%2FShop",
    "Dataflows/DataSourceDownload/20181f26%2fShop/",
    "Dataflows/DataSourceDownload/20181f26%5CShop",
    "Dataflows/DataSourceDownload/20181f26\\Shop",
    "Dataflows/DataSourceDownload/x?a=/../y",
    "Dataflows/DataSourceRollback/f8293dc7/Shop",
    "Dataflows/LoadDataSource/..",
    "Dataflows/LoadDataSource/../DataSourceDownload/a/b",
    "data/20181f26/Shop/$commit",
    "data/20181f26/Shop/$updatedatasource",
    "data/20181f26/Shop",
    "data/jobs/a/$getstatus/../$commit",
    "",
)


@pytest.mark.parametrize("path", CREATING)
def test_what_may_create_a_job_is_never_asked_for(path: str) -> None:
    assert not is_read_only(path)
    asker = Client(Target(parse_base_url("http://127.0.0.1:1"), "key"))
    with pytest.raises(NotReadOnlyError):
        asker.ask(Request(purpose=Purpose.STATUS, path=path))
    assert asker.exchanges == []


def test_nothing_beside_the_service_is_asked_for() -> None:
    asker = Client(Target(parse_base_url("http://127.0.0.1:1"), "key"))
    with pytest.raises(NotReadOnlyError):
        asker.ask(Request(purpose=Purpose.LIST, path="Dataflows/ListJobs", root="/admin/"))


def test_rest_and_v1_are_asked_for_in_another_letter_case(full: Recording) -> None:
    found = next(each for each in full.of(Purpose.LIST_CASE) if each.ask.root != ROOT)
    assert found.ask.told == "GET /rest/V1/Dataflows/ListJobs?key=KEY"
    assert found.status == HTTPStatus.OK


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "get"])
def test_no_other_method_is_sent(method: str) -> None:
    with pytest.raises(NotReadOnlyError):
        Client(Target(parse_base_url("http://127.0.0.1:1"), "key")).ask(
            Request(purpose=Purpose.LIST, path="Dataflows/ListJobs", method=method)
        )


def test_all_that_is_asked_is_asked_for_reading(full: Recording) -> None:
    asked = [each.ask for each in full.exchanges]
    assert {ask.method for ask in asked} == {"GET", "HEAD"}
    assert all(is_read_only(ask.path) for ask in asked if not ask.is_link)
    assert {FIRST, WITH_KEY, *LISTS, *ERRORS} <= set(asked)


def test_nothing_in_storage_is_changed(storage: Storage, start: StartServer) -> None:
    storage.job(DataSourceName="Shop", AccessId="a1b2", OutputBlob=storage.export())
    storage.download("Shop", OutputBlob=storage.export())
    before = list(storage.table.list_entities())
    assert len(record_of(start(storage)).exchanges) > 80
    assert list(storage.table.list_entities()) == before


def test_the_server_does_not_load_it() -> None:
    code = (
        "import sys, proxy.cli.main, proxy.server.app, proxy.server.run;"
        "sys.exit(any(name.startswith('proxy.conformance') for name in sys.modules))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
