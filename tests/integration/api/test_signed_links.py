"""wire-contract.md, section 4: what a signed link may do, and what clients may do to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from tests.conftest import StartServer
from tests.support.job_samples import path_of
from tests.support.live import LiveServer
from tests.support.storage import Storage

CONTENT = "<Köln />".encode() * 100


def signed(server: LiveServer, job_id: str, position: int = 1) -> str:
    """An output link of a geocode job."""
    return str(server.job(path_of("Geocode", job_id))["links"][position]["url"])


def export(account: Storage, name: str = "export.xml") -> str:
    """A completed geocode job with an output in storage."""
    return account.job("Geocode", OutputBlob=account.export(CONTENT, name))


def parameters(url: str) -> dict[str, str]:
    """The query of a link."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def test_a_signed_link_ends_in_its_suffix(proxy: LiveServer, account: Storage) -> None:
    job_id = account.job("Geocode", OutputBlob="exports/a.csv", FailedBlob="exports/b.csv")
    assert signed(proxy, job_id).endswith("&legacy=output/succeeded#")
    assert signed(proxy, job_id, 2).endswith("&legacy=output/failed#")


@pytest.mark.parametrize(
    ("suffix", "end"), [("&app=bing#", "&app=bing#"), ("&{output}=a/{output}#", "&failed=a/failed#")]
)
def test_the_suffix_is_a_setting(suffix: str, end: str, account: Storage, start: StartServer) -> None:
    job_id = account.job("Geocode", FailedBlob=account.export(CONTENT))
    server = start(account, sas_suffix=suffix)
    link = signed(server, job_id)
    assert link.endswith(end)
    assert server.client.get(link + "?key=secret").content == CONTENT


def test_a_signature_is_for_reading_one_blob_for_a_while(proxy: LiveServer, account: Storage) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sas = parameters(signed(proxy, export(account)))
    assert (sas["sr"], sas["sp"], sas["spr"]) == ("b", "r", "https,http")  # http: the emulator has no other
    starts, ends = (datetime.fromisoformat(sas[name]) for name in ("st", "se"))
    assert timedelta(minutes=2) <= before - starts <= timedelta(minutes=15)
    assert timedelta(minutes=59) <= ends - before <= timedelta(minutes=61)


def test_outside_of_the_emulator_a_link_is_for_https_only(account: Storage, start: StartServer) -> None:
    # Rows come from the emulator, blobs are said to be in Azure; signing asks nobody.
    azure = account.connection_string.replace("BlobEndpoint=", "Ignored=") + "BlobEndpoint=http://contoso.blob.example"
    server = start(account, accounts={account.account: {"storage": {"connection_string": azure}}})
    link = signed(server, account.job("Geocode", OutputBlob="exports/a.xml"))
    assert link.startswith("https://contoso.blob.example/exports/a.xml?")
    assert parameters(link)["spr"] == "https"


APPENDED: dict[str, Callable[[str], str]] = {
    "nothing": lambda link: link,
    "?key=": lambda link: link + "?key=secret",
    "&key=": lambda link: link + "&key=secret",
    "the fragment dropped": lambda link: link.partition("#")[0],
    "the fragment dropped, ?key=": lambda link: link.partition("#")[0] + "?key=secret",
    "the fragment dropped, &key=": lambda link: link.partition("#")[0] + "&key=secret",
    "the fragment sent": lambda link: link.replace("#", "%23") + "?key=secret",
}


@pytest.mark.parametrize("change", APPENDED.values(), ids=APPENDED.keys())
def test_a_link_works_whatever_a_client_appends(
    change: Callable[[str], str], proxy: LiveServer, account: Storage
) -> None:
    response = proxy.client.get(change(signed(proxy, export(account))))
    assert (response.status_code, response.content) == (200, CONTENT)


def test_without_the_suffix_an_appended_key_breaks_the_signature(account: Storage, start: StartServer) -> None:
    server = start(account, sas_suffix="")
    link = signed(server, export(account))
    assert "legacy" not in link
    assert server.client.get(link).status_code == 200
    assert server.client.get(link + "?key=secret").status_code == 403


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("export.xml", "application/xml"),
        ("a/b/EXPORT.PIPE", "text/plain"),
        ("export.zip", "application/zip"),
        ("export", "application/octet-stream"),
        ("Größe & Co #1?.txt", "text/plain"),
        ('with "quotes" and 100%.csv', "text/plain"),
    ],
)
def test_a_download_has_its_content_type_and_file_name(
    name: str, content_type: str, proxy: LiveServer, account: Storage
) -> None:
    response = proxy.client.get(signed(proxy, export(account, name)) + "?key=secret")
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["content-type"] == content_type
    disposition = response.headers["content-disposition"]
    file_name = name.rpartition("/")[2]
    assert disposition.startswith('attachment; filename="')
    assert f'"{file_name}"' in disposition or disposition.endswith("UTF-8''" + quote(file_name, safe=""))
    assert unquote(urlsplit(str(response.url)).path).endswith(name)


@pytest.mark.parametrize("asked", [{}, {"Accept-Encoding": "gzip, deflate, br"}, {"Accept-Encoding": "identity"}])
def test_a_download_is_plain_bytes_never_compressed(asked: dict[str, str], proxy: LiveServer, account: Storage) -> None:
    with proxy.client.stream("GET", signed(proxy, export(account)), headers=asked) as response:
        assert b"".join(response.iter_raw()) == CONTENT
        assert "content-encoding" not in response.headers


def test_links_are_signed_without_reading_the_blob(proxy: LiveServer, account: Storage) -> None:
    job_id = account.job("Geocode", OutputBlob="no-such-container/none.xml", FailedBlob="no-such-container/log.txt")
    assert proxy.client.get(signed(proxy, job_id)).status_code == 404
    assert proxy.get(path_of("Geocode", job_id) + "/output/succeeded").status_code == 302
