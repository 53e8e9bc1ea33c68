"""What a signed link can do: read one blob, for a while, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.live import NO_TLS, LiveServer
from tests.support.storage import Storage


@pytest.fixture
def link(server: LiveServer, storage: Storage) -> str:
    """The output link of a completed download."""
    storage.download("Coffee", OutputBlob=storage.export(b"<coffee />", "coffee.xml"))
    return str(server.job("Dataflows/DataSourceDownload/Coffee")["links"][1]["url"])


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Who has a link."""
    with httpx.Client(timeout=60, verify=NO_TLS) as opened:
        yield opened


def test_it_reads(client: httpx.Client, link: str) -> None:
    assert client.get(link).content == b"<coffee />"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_it_does_not_write_or_delete(client: httpx.Client, link: str, method: str) -> None:
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert client.request(method, link, content=b"x", headers=headers).status_code == 403
    assert client.get(link).content == b"<coffee />"


def test_it_opens_no_other_blob_and_no_list(client: httpx.Client, link: str, storage: Storage) -> None:
    container, _, name = storage.export(b"other", "other.xml").partition("/")
    path = urlsplit(link).path
    assert client.get(link.replace(path, f"/devstoreaccount1/{container}/{name}")).status_code == 403
    whole = link.removesuffix("#").replace(path, path.rpartition("/")[0])
    assert client.get(f"{whole}&restype=container&comp=list").status_code == 403


def test_it_ends_when_the_settings_say(storage: Storage, start: StartServer, link: str) -> None:
    assert link
    short = start(storage, sas_minutes=2)
    query = parse_qs(urlsplit(short.job("Dataflows/DataSourceDownload/Coffee")["links"][1]["url"]).query)
    begins, ends = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
    assert (ends - begins).total_seconds() == pytest.approx(300 + 120, abs=1)
    assert (datetime.now(UTC) - begins).total_seconds() == pytest.approx(300, abs=60)


def test_every_answer_with_a_link_may_not_be_stored(server: LiveServer, storage: Storage, link: str) -> None:
    assert link
    storage.job("Geocode", OutputBlob="exports/a.csv")
    for path in ("Dataflows/DataSourceDownload/Coffee", "Dataflows/ListJobs"):
        assert server.get(path).headers["Cache-Control"] == "no-store"
    response = server.get("Dataflows/DataSourceDownload/Coffee/output/succeeded")
    assert (response.status_code, response.headers["Cache-Control"]) == (302, "no-store")
    assert response.headers["Referrer-Policy"] == "no-referrer"
