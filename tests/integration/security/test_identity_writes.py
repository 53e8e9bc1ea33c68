"""An identity does the write side's work too, against an emulator that takes tokens."""

import subprocess
import sys

import pytest

from proxy.demo.azurite import Emulator
from tests.support.entra import Entra

# A process of its own: trust in the certificate is read when aiohttp is imported.
PROGRAM = """
import asyncio, sys
from datetime import timedelta
from adapters.account import AccountStorage, StorageOptions
from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from adapters.credentials.config import Endpoints, IdentityConfig, IdentityKind
from adapters.model.data_sources import DataSource
from adapters.credentials.factory import open_credential
from adapters.model.jobs import BlobPath

async def content():
    yield b"content"

async def main():
    urls = [f"https://127.0.0.1:{port}/{EMULATOR_ACCOUNT}" for port in sys.argv[1:]]
    endpoints = Endpoints(EMULATOR_ACCOUNT, "", *urls)
    options = StorageOptions("identityjobs", timedelta(hours=1), 60)
    credential = open_credential(IdentityConfig(endpoints, IdentityKind.MANAGED_IDENTITY))
    account = AccountStorage("contoso", credential, options)
    await account.data_sources.create_table()
    made = DataSource(name="Shops", access_id="a", created=0)
    await account.data_sources.change("Shops", lambda _: made)
    assert await account.data_sources.get("shops") == made
    await account.queue.create()
    await account.queue.enqueue("0" * 32)
    lease = await account.queue.receive()
    assert await lease.renew()
    await lease.complete()
    assert await account.blobs.write(BlobPath("uploads", "identity"), content()) == 7
    await account.close()
    print("done")

asyncio.run(main())
"""


@pytest.mark.slow
def test_an_identity_writes_rows_messages_and_blobs(secure_emulator: Emulator, entra: Entra) -> None:
    ports = [secure_emulator.table_port, secure_emulator.blob_port, secure_emulator.queue_port]
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *map(str, ports)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout == "done\n", ran.stderr[-2000:]
    assert entra.asked
