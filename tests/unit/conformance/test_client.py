"""Only reading requests are sent, and addresses are what the arguments say."""

import os
import subprocess
import sys

import pytest

from proxy.comparison.origins import AddressError, parse_base_url, parse_resolve
from proxy.conformance.client import Client, NotReadOnlyError
from proxy.conformance.exchange import Purpose, Request
from proxy.conformance.target import Target

LIST = "Dataflows/ListJobs"


@pytest.mark.parametrize(
    "request_",
    [
        *(
            Request(Purpose.STATUS, path)
            for path in (
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
                "data/20181f26/Shop/%24commit",
                "data/20181f26/Shop/%2524commit",
                "data//20181f26/Shop/$updatedatasource",
                "data/20181f26/$commit",
                "data/20181f26/Shop/Shops/$commit",
                "data/20181f26/Shop/Shops%2f..%2f$commit",
                "data/20181f26/Shop/..",
                "data/jobs/a/$getstatus/../$commit",
                "",
            )
        ),
        *(Request(Purpose.LIST, LIST, method=method) for method in ("POST", "DELETE", "PUT", "get")),
        Request(Purpose.LIST, LIST, root="/admin/"),
    ],
    ids=lambda request: f"{request.method} {request.root}{request.path}",
)
def test_request_that_may_change_something_is_not_sent(request_: Request) -> None:
    client = Client(Target(parse_base_url("http://127.0.0.1:1"), "key"))
    with pytest.raises(NotReadOnlyError):
        client.send(request_)
    assert client.recording.exchanges == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Spatial.contoso.example:127.0.0.2", (("spatial.contoso.example", 8443), "127.0.0.2")),
        ("a:443:127.0.0.2", (("a", 443), "127.0.0.2")),
        ("a:443:[2001:db8::1]", (("a", 443), "2001:db8::1")),
        ("a:[::1]", (("a", 8443), "::1")),
    ],
)
def test_resolve_is_written_as_for_curl(text: str, found: tuple[tuple[str, int], str]) -> None:
    assert parse_resolve(text, 8443) == found


@pytest.mark.parametrize("text", ["a", "a:443:b", "a:1.2.3.256", "*:443:127.0.0.1", "+a:443:127.0.0.1", "a:70000:::1"])
def test_resolve_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(AddressError, match="--resolve: must be"):
        parse_resolve(text, 443)


@pytest.mark.slow
def test_server_does_not_load_conformance() -> None:
    code = (
        "import sys, proxy.cli.main, proxy.server.app, proxy.server.run;"
        "sys.exit(any(name.startswith('proxy.conformance') for name in sys.modules))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
