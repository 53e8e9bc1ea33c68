"""What links and key rings cost: microseconds for each kind of signature, key fetches, seconds until a change counts.

Medians of several rounds; everything is real, the emulator and its tokens too.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from azure.storage.blob import UserDelegationKey

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.blobs.sas_keys import DelegationKeyProvider, account_key_source
from adapters.blobs.sas_links import SasLinkSigner
from adapters.credentials.config import Endpoints, IdentityConfig, IdentityKind
from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY
from adapters.model.jobs import BlobPath
from benchmarks.figures import Figure
from proxy.demo.azurite import Emulator, start_emulator
from tests.support.entra import HEADER, make_certificate, start_entra
from tests.support.serve_command import serving
from tests.support.storage import Storage

LINKS = 10_000
ROUNDS = 5
HOUR = timedelta(hours=1)
PATH = BlobPath("exports", "FourthCoffeeSample.xml")
BLOB_URL = f"https://{EMULATOR_ACCOUNT}.blob.core.windows.net"
PROMISED_SECONDS = 5
OK = 200


def links(plain: Emulator) -> Iterator[Figure]:
    """The figures."""
    yield Figure("ring change to effect", ring_change(plain), "s", at_most=PROMISED_SECONDS)
    with TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        tls = ["--oauth", "basic", "--cert", str(certificate.certificate), "--key", str(certificate.key)]
        with start_entra(certificate) as entra, start_emulator(extra=tls) as secure:
            # Another process, because aiohttp reads what to trust when it is imported.
            trusting = {
                "SSL_CERT_FILE": str(certificate.certificate),
                "IDENTITY_ENDPOINT": entra.managed_identity_url,
                "IDENTITY_HEADER": HEADER,
            }
            command = [sys.executable, "-m", "benchmarks.links", str(secure.table_port), str(secure.blob_port)]
            measured = subprocess.run(command, env=os.environ | trusting, check=True, capture_output=True, text=True)
    for what, (value, unit) in json.loads(measured.stdout).items():
        yield Figure(what, value, unit)


async def signatures(table_port: int, blob_port: int) -> dict[str, tuple[float, str]]:
    """Microseconds per link for both kinds of key, in turn, and how often the delegated one was fetched."""
    urls = (f"https://127.0.0.1:{port}/{EMULATOR_ACCOUNT}" for port in (table_port, blob_port))
    identity = IdentityConfig(Endpoints(EMULATOR_ACCOUNT, "", *urls), IdentityKind.MANAGED_IDENTITY)
    fetched: list[datetime] = []
    async with AccountRegistry({"a": identity}, StorageOptions("jobs", HOUR, 5)) as accounts:

        async def fetch(start: datetime, expires: datetime) -> UserDelegationKey:
            fetched.append(start)
            async with accounts["a"].blob_service() as blobs:
                return await blobs.get_user_delegation_key(start, expires)

        kinds = {
            "service SAS": SasLinkSigner(EMULATOR_ACCOUNT, BLOB_URL, account_key_source(EMULATOR_KEY), HOUR),
            "user delegation SAS": SasLinkSigner(
                EMULATOR_ACCOUNT, BLOB_URL, DelegationKeyProvider(fetch, HOUR).current, HOUR
            ),
        }
        timings: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, each in kinds.items():
                started = time.perf_counter()
                for _ in range(LINKS):
                    each.sign(PATH, await each.current_key())
                timings[kind].append((time.perf_counter() - started) / LINKS * 1e6)
    figures = {f"a link, {kind}": (statistics.median(each), "microseconds") for kind, each in timings.items()}
    return figures | {f"key fetches for {ROUNDS * LINKS:,} links": (float(len(fetched)), "")}


def ring_change(emulator: Emulator) -> float:
    """Seconds from a written key ring to the first answer to a key that only the new one has."""
    seconds = []
    with TemporaryDirectory() as folder, Storage.open(emulator, "bench") as storage:
        file = Path(folder) / "ring.json"

        def write(key: str) -> None:
            entry = {"storage": {"connection_string": storage.connection_string}}
            file.write_text(json.dumps({"accounts": {"bench": entry}, "keys": {key: {"account": "bench"}}}))

        write("key-0")
        with serving(storage, keyring_file=file) as server:
            for number in range(1, ROUNDS + 1):
                write(f"key-{number}")
                started = time.perf_counter()
                while server.get("Dataflows/ListJobs", f"key-{number}").status_code != OK:
                    assert time.perf_counter() - started < PROMISED_SECONDS
                    time.sleep(0.2)
                seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(signatures(*map(int, sys.argv[1:])))))
