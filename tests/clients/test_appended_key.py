"""Clients that fetch an output by its link with `?key=` appended, blindly, as the documents tell them to."""

import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests

from tests.clients.jobs import CONTENT, load_job, status_url
from tests.support.live import LiveServer, start_server
from tests.support.storage import Storage
from tests.support.stub_servers import Wire

KEY = "master-key"

Download = Callable[[str], bytes]


def by_urllib(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:  # noqa: S310 - a link of our own server
        return bytes(response.read())


def by_command(*command: str) -> Download:
    def run(url: str) -> bytes:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        return subprocess.run([*command, url], capture_output=True, check=True, timeout=60).stdout

    return run


DOWNLOADS: dict[str, Download] = {
    "urllib": by_urllib,
    "requests": lambda url: requests.get(url, timeout=60).content,
    "httpx": lambda url: httpx.get(url, timeout=60).content,
    "curl": by_command("curl", "--silent", "--fail", "--globoff"),
    "curl, compressed": by_command("curl", "--silent", "--fail", "--compressed"),
    "wget": by_command("wget", "--quiet", "--output-document=-"),
}


@pytest.fixture(scope="module")
def wire(account: Storage) -> Wire:
    """A wire on which all that reaches blob storage is seen."""
    return Wire(account, "Blob")


@pytest.fixture(scope="module")
def proxy(account: Storage, wire: Wire) -> Iterator[LiveServer]:
    """A server whose links lead over that wire."""
    with wire.connection_string() as text:
        watched = {account.account: {"storage": {"connection_string": text}}}
        with start_server(account, accounts=watched) as running:
            yield running


def output_link(proxy: LiveServer, account: Storage, output: str = "json") -> str:
    """The succeeded link of a job, read from either format."""
    url = status_url(proxy, load_job(account), f"&output={output}")
    if output == "json":
        return str(requests.get(url, timeout=60).json()["resourceSets"][0]["resources"][0]["links"][1]["url"])
    text = requests.get(url, timeout=60).text
    return text.partition('name="succeeded">')[2].partition("</Link>")[0].replace("&amp;", "&")


@pytest.mark.parametrize("download", DOWNLOADS.values(), ids=DOWNLOADS.keys())
@pytest.mark.parametrize("output", ["json", "xml"])
def test_a_key_appended_to_a_link_does_no_harm(
    *, download: Download, output: str, proxy: LiveServer, account: Storage, wire: Wire
) -> None:
    wire.seen = b""
    assert download(output_link(proxy, account, output) + "?key=" + KEY) == CONTENT
    assert b"GET " in wire.seen
    assert KEY.encode() not in wire.seen


@pytest.mark.parametrize("download", DOWNLOADS.values(), ids=DOWNLOADS.keys())
def test_the_link_as_it_is_works_too(download: Download, proxy: LiveServer, account: Storage) -> None:
    assert download(output_link(proxy, account)) == CONTENT


def test_merged_parameters_work_and_go_to_storage(proxy: LiveServer, account: Storage, wire: Wire) -> None:
    response = requests.get(output_link(proxy, account), params={"key": KEY}, timeout=60)
    assert response.content == CONTENT
    assert b"&key=master-key" in wire.seen  # wire-contract.md, section 4, says so, and that `redirect` avoids it


def test_in_redirect_mode_no_client_gives_its_key_to_storage(account: Storage, wire: Wire) -> None:
    wire.seen = b""
    with wire.connection_string() as text:
        watched = {account.account: {"storage": {"connection_string": text}}}
        with start_server(account, accounts=watched, output_links="redirect") as proxy:
            link = output_link(proxy, account).replace("https://spatial.example.net", proxy.url)
            for download in (by_urllib, DOWNLOADS["requests"], by_command("curl", "-s", "--fail", "--location")):
                assert download(link + "?key=" + KEY) == CONTENT
            assert requests.get(link, params={"key": KEY}, timeout=60).content == CONTENT
    assert b"GET " in wire.seen
    assert KEY.encode() not in wire.seen
