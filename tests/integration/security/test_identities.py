"""Every kind of identity reads rows and signs links, against an emulator that takes tokens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from adapters.credentials.config import Endpoints, IdentityConfig, IdentityKind
from adapters.credentials.factory import TokenCredential, open_credential
from adapters.credentials.table_auth import SCOPE
from proxy.demo.azurite import Emulator
from tests.integration.security.identities import CLIENT, CLIENT_SECRET, CREDENTIALS, SECRET_VARIABLE, identity_account
from tests.support.entra import Entra
from tests.support.live import MASTER
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage


@pytest.fixture
def secure_storage(secure_emulator: Emulator, entra: Entra) -> Iterator[Storage]:
    """An account in it; the fixture writes with the account key, the server asks as an identity."""
    assert entra.asked == []
    with Storage.open(secure_emulator, "identity") as opened:
        yield opened


@contextmanager
def identified(storage: Storage, emulator: Emulator, kind: str) -> Iterator[Served]:
    """A server that asks as an identity: a process of its own, which trusts the certificate from its start."""
    with serving(storage, accounts={storage.account: identity_account(emulator, CREDENTIALS[kind])}) as server:
        yield server


def output_link(server: Served) -> str:
    (job,) = server.get("Dataflows/DataSourceDownload/Coffee").json()["resourceSets"][0]["resources"]
    return str(job["links"][1]["url"])


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_an_identity_reads_rows_and_signs_links(
    kind: str, secure_storage: Storage, secure_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    secure_storage.download("Coffee", OutputBlob=secure_storage.export(b"<coffee />"))
    with identified(secure_storage, secure_emulator, kind) as server:
        link = output_link(server)
    assert "skoid=" in link  # signed by a delegated key
    assert "&sp=r&" in link
    assert link.endswith("&legacy=output/succeeded#")
    assert requests.get(f"{link}?key={MASTER}", timeout=10).content == b"<coffee />"


def test_the_default_identity_follows_the_environment(entra: Entra, monkeypatch: pytest.MonkeyPatch) -> None:
    """So one key ring serves apps that have an identity each, as in deploy/azure."""
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")

    async def token() -> str:
        opened = open_credential(IdentityConfig(Endpoints("main"), IdentityKind.DEFAULT))
        assert isinstance(opened, TokenCredential)
        async with opened.token:
            return (await opened.token.get_token(SCOPE)).token

    assert asyncio.run(token())
    assert [f"client_id={CLIENT}" in asked for asked in entra.asked] == [True]


def test_a_hundred_answers_cost_one_key_and_one_token(
    secure_storage: Storage, secure_emulator: Emulator, entra: Entra
) -> None:
    secure_storage.download("Coffee", OutputBlob="exports/coffee.xml")
    with identified(secure_storage, secure_emulator, "managed identity") as server:
        links = {output_link(server) for _ in range(100)}
    parts = {part for link in links for part in link.split("&") if part.startswith(("skt=", "ske="))}
    assert len(parts) == 2  # one start and one end: one key
    assert len(entra.asked) <= 2  # rows and keys may ask for their first token at the same time


def test_a_refused_identity_is_a_503_with_a_logged_code(
    secure_storage: Storage, secure_emulator: Emulator, entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    entra.refuses = True
    with identified(secure_storage, secure_emulator, "client secret") as server:
        assert server.get("Dataflows/ListJobs").status_code == 503
        assert "AADSTS7000215" in server.log()
        assert CLIENT_SECRET not in server.log()
        entra.refuses = False
        assert server.get("Dataflows/ListJobs").status_code == 200
