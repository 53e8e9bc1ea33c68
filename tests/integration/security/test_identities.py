"""Every kind of identity reads rows and signs links, against an emulator that takes tokens."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from adapters.credentials.config import Endpoints, IdentityConfig, IdentityKind
from adapters.credentials.factory import TokenCredential, open_credential
from adapters.credentials.table_auth import SCOPE
from proxy.demo.azurite import Emulator
from tests.integration.security.identities import CLIENT, CLIENT_SECRET, CREDENTIALS, SECRET_VARIABLE, identity_account
from tests.support.entra import Entra
from tests.support.live import MASTER, wait_for
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage


@pytest.fixture
def secure_storage(secure_emulator: Emulator, entra: Entra) -> Iterator[Storage]:
    """An account in it; the fixture writes with the account key, the server asks as an identity."""
    assert entra.asked == []
    with Storage.open(secure_emulator, "identity") as opened:
        yield opened


@contextmanager
def identified(storage: Storage, emulator: Emulator, folder: Path, *kinds: str) -> Iterator[Served]:
    """A server whose accounts ask as identities, each of a kind and with its name as account and as key.

    It is a process of its own, which trusts the certificate from its start.
    """
    accounts = {kind: identity_account(emulator, CREDENTIALS[kind]) for kind in kinds}
    ring = {"accounts": accounts, "keys": {kind: {"account": kind} for kind in kinds}}
    file = folder / "ring.json"
    file.write_text(json.dumps(ring))
    with serving(storage, keyring_file=file, storage_timeout=20) as server:
        yield server


def output_link(server: Served, kind: str) -> str:
    (job,) = server.get("Dataflows/DataSourceDownload/Coffee", kind).json()["resourceSets"][0]["resources"]
    return str(job["links"][1]["url"])


@pytest.mark.slow
def test_each_kind_of_identity_reads_rows_and_signs_links(
    secure_storage: Storage, secure_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    blob = secure_storage.export(b"<coffee />")
    for kind in CREDENTIALS:
        replace(secure_storage, account=kind).download("Coffee", OutputBlob=blob)
    with identified(secure_storage, secure_emulator, tmp_path, *CREDENTIALS) as server:
        links = [output_link(server, kind) for kind in CREDENTIALS]
    for link in links:
        assert "skoid=" in link  # signed by a delegated key
        assert "&sp=r&" in link
        assert link.endswith("&legacy=output/succeeded#")
        assert requests.get(f"{link}?key={MASTER}", timeout=60).content == b"<coffee />"


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


@pytest.mark.slow
def test_a_hundred_answers_cost_one_key_and_one_token(
    secure_storage: Storage, secure_emulator: Emulator, entra: Entra, tmp_path: Path
) -> None:
    kind = "managed identity"
    replace(secure_storage, account=kind).download("Coffee", OutputBlob="exports/coffee.xml")
    with identified(secure_storage, secure_emulator, tmp_path, kind) as server:
        links = {output_link(server, kind) for _ in range(100)}
    parts = {part for link in links for part in link.split("&") if part.startswith(("skt=", "ske="))}
    assert len(parts) == 2  # one start and one end: one key
    assert len(entra.asked) <= 2  # rows and keys may ask for their first token at the same time


@pytest.mark.slow
def test_a_refused_identity_is_a_503_with_a_logged_code(
    secure_storage: Storage,
    secure_emulator: Emulator,
    entra: Entra,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    entra.refuses = True
    kind = "client secret"
    with identified(secure_storage, secure_emulator, tmp_path, kind) as server:
        assert server.get("Dataflows/ListJobs", kind).status_code == 503
        wait_for(lambda: "AADSTS7000215" in server.log())
        assert CLIENT_SECRET not in server.log()
        entra.refuses = False
        wait_for(lambda: server.get("Dataflows/ListJobs", kind).status_code == 200)
