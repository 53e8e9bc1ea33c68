"""Signed links: their rights, their life, and the name under which a browser saves the blob."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from adapters.blobs.sas_keys import SigningKey, account_key_source
from adapters.blobs.sas_links import SasLinkSigner, content_type_of, disposition_of
from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY
from adapters.model.jobs import BlobPath

KEY = SigningKey(EMULATOR_KEY)
NOW = datetime(2026, 1, 3, 12, 0, 0, 999_999, tzinfo=UTC)
AZURE = "https://contosodata.blob.core.windows.net"
EMULATOR = f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}"


def _sign(name: str, blob_url: str = AZURE, container: str = "exports") -> str:
    account = EMULATOR_ACCOUNT if blob_url == EMULATOR else "contosodata"
    links = SasLinkSigner(account, blob_url, account_key_source(EMULATOR_KEY), timedelta(minutes=60), lambda: NOW)
    return links.sign(BlobPath(container, name), KEY)[0]


def _query(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def test_link_reads_one_blob_only() -> None:
    query = _query(_sign("a.xml"))
    assert (query["sp"], query["sr"]) == ("r", "b")
    assert query["sig"]
    assert not {"ss", "srt", "si", "sdd"} & set(query)


def test_link_starts_in_the_past_and_ends_with_its_lifetime() -> None:
    query = _query(_sign("a.xml"))
    assert query["st"] == "2026-01-03T11:55:00Z"
    assert query["se"] == "2026-01-03T13:00:00Z"


def test_link_is_for_https_only() -> None:
    assert _query(_sign("a.xml"))["spr"] == "https"
    for endpoint in (AZURE, AZURE.replace("https", "http")):
        assert _sign("a.xml", endpoint).startswith(f"{AZURE}/exports/a.xml?")


def test_link_of_an_emulator_may_use_plain_http() -> None:
    link = _sign("a.xml", EMULATOR)
    assert link.startswith(f"{EMULATOR}/exports/a.xml?")
    assert _query(link)["spr"] == "https,http"


def test_link_holds_no_key() -> None:
    assert EMULATOR_KEY not in unquote(_sign("a.xml"))


def test_link_sets_content_type_and_disposition() -> None:
    query = _query(_sign("2026/january/shops.xml"))
    assert query["rsct"] == "application/xml"
    assert query["rscd"] == 'attachment; filename="shops.xml"'


@pytest.mark.parametrize("name", ["a b.xml", "a?b#c%d&e=f+g.xml", "é/ü.xml", "a'b\"c.xml", "~a.xml"])
def test_blob_name_stays_in_the_path(name: str) -> None:
    parts = urlsplit(_sign(name))
    assert unquote(parts.path) == f"/exports/{name}"
    assert parts.fragment == ""
    assert _query(_sign(name))["sp"] == "r"


def test_another_blob_has_another_signature() -> None:
    signatures = {_query(_sign(name, container=box))["sig"] for name in ("a.xml", "b.xml") for box in ("one", "two")}
    assert len(signatures) == 4


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.xml", "application/xml"),
        ("A.XML", "application/xml"),
        ("a.csv", "text/plain"),
        ("a.txt", "text/plain"),
        ("a.zip", "application/zip"),
        ("a.xml.zip", "application/zip"),
        ("a", "application/octet-stream"),
        ("a.exe", "application/octet-stream"),
        ("v1.xml/a", "application/octet-stream"),
        (".xml", "application/octet-stream"),
    ],
)
def test_content_type_follows_the_suffix(name: str, content_type: str) -> None:
    assert content_type_of(name) == content_type


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("a.xml", 'attachment; filename="a.xml"'),
        ("x/y/a b.xml", 'attachment; filename="a b.xml"'),
        ("x/y/", 'attachment; filename="y"'),
        ("/", 'attachment; filename="export"'),
        ("", 'attachment; filename="export"'),
        ("über.xml", "attachment; filename=\"_ber.xml\"; filename*=UTF-8''%C3%BCber.xml"),
        ('a"b\\c%.xml', "attachment; filename=\"a_b_c_.xml\"; filename*=UTF-8''a%22b%5Cc%25.xml"),
        ("a\u2028b.xml", "attachment; filename=\"a_b.xml\"; filename*=UTF-8''a%E2%80%A8b.xml"),
        ("\U0001f600", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"),
    ],
)
def test_disposition_has_the_name_and_an_ascii_form(name: str, disposition: str) -> None:
    assert disposition_of(name) == disposition
