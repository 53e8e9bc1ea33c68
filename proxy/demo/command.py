"""The command `demo`: an emulator, sample jobs, the server, a worker, and requests to try."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.accounts import AccountRegistry
from adapters.blobs.sas_links import upload
from adapters.credentials.connection_string import EMULATOR_ACCOUNT, parse_connection_string
from proxy.demo import samples
from proxy.demo.azurite import EmulatorError, start_emulator
from proxy.keyring.file import load_keyring
from proxy.observability.logs import configure_logs
from proxy.server.app import storage_options
from proxy.server.run import listen, serve
from proxy.settings import Settings, load_settings

# High enough that nobody who tries the demo meets a limit; docker-compose.yml has the same.
LIMITS = {
    "PROXY_MAX_ACTIVE_JOBS": "200",
    "PROXY_MAX_DATA_SOURCES": "200",
    "PROXY_MAX_JOBS_PER_DAY": "5000",
}

ACCOUNT = "demo"
MASTER_KEY = "demo-master-key"
QUERY_KEY = "demo-query-key"
WORKER_END_SECONDS = 20
DEFAULT_EMULATOR = "UseDevelopmentStorage=true"

REQUESTS = """\
The proxy answers at {base}. Ctrl-C ends it and the emulator. Try:

  # A finished load, in JSON and in XML
  curl '{base}/REST/v1/Dataflows/LoadDataSource/{load}?key={master}'
  curl '{base}/REST/v1/dataflows/loaddatasource/{load}?o=xml&key={master}'

  # A load that is not finished: what clients poll
  curl '{base}/REST/v1/Dataflows/LoadDataSource/{pending}?key={master}'

  # A published data source
  curl '{base}/REST/v1/data/jobs/{publish}/$getstatus?key={master}'

  # All jobs of the last 15 days; a query key is enough
  curl '{base}/REST/v1/Dataflows/ListJobs?output=xml&key={query}'

  # An export, fetched as a legacy client does: take the link, append the key
  link=$(curl -s '{base}/REST/v1/Dataflows/DataSourceDownload/{name}?o=xml&key={master}' | \
sed -n 's/.*name="succeeded">\\([^<]*\\)<.*/\\1/p' | sed 's/&amp;/\\&/g') && curl "$link?key={master}"

  # The same by the URL that some clients build themselves
  curl -L '{base}/REST/v1/Dataflows/DataSourceDownload/{name}/output/succeeded?key={master}'

  # A key that nobody has
  curl -i '{base}/REST/v1/Dataflows/ListJobs?key=wrong'
"""


def run_demo(options: Namespace) -> int:
    """Runs the demo until Ctrl-C and returns the exit status. With `--samples-only` it writes the samples and ends."""
    if options.samples_only:
        return write_samples(options.emulator or DEFAULT_EMULATOR)
    os.environ.pop("PROXY_KEYRING_FILE", None)
    os.environ["PROXY_KEYRING"] = "{}"
    os.environ.setdefault("PROXY_HOST", "127.0.0.1")
    os.environ.setdefault("PROXY_LOG_FORMAT", "text")
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the emulator ends with us
    listener = listen(load_settings())
    port = listener.getsockname()[1]
    os.environ["PROXY_PORT"] = str(port)
    os.environ["PROXY_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    try:
        with listener, _storage(options.emulator) as connection_string:
            os.environ["PROXY_KEYRING"] = _key_ring(connection_string)
            settings = load_settings(serving=True)
            configure_logs(settings.log_level, settings.log_format)
            asyncio.run(_seed(settings))
            with _worker():
                print(_requests(settings.public_url), flush=True)
                return serve(settings, listener)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1


def write_samples(emulator_running: str) -> int:
    """Writes the sample jobs for a server and a worker that run elsewhere, with the demo's key ring; and no more."""
    os.environ.pop("PROXY_KEYRING_FILE", None)
    try:
        with _storage(emulator_running) as connection_string:
            settings = load_settings(keyring=_key_ring(connection_string))
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1
    configure_logs(settings.log_level, "text")
    asyncio.run(_seed(settings))
    print(_requests(settings.public_url or f"http://127.0.0.1:{settings.port}"), flush=True)
    return 0


@contextmanager
def _storage(emulator_running: str | None) -> Iterator[str]:
    """The connection string of an emulator; one of our own lives as long as the context."""
    if emulator_running:
        # The samples are written anew at each start, over what is there: never into somebody's storage.
        if parse_connection_string(emulator_running).account_name != EMULATOR_ACCOUNT:
            raise EmulatorError(f"the demo writes to an emulator only, whose account is {EMULATOR_ACCOUNT}")
        yield emulator_running
    else:
        with start_emulator() as emulator:
            yield emulator.connection_string


@contextmanager
def _worker() -> Iterator[None]:
    """A worker as a process of its own, as anywhere else; it ends before the emulator does."""
    # The port of metrics is the server's.
    environment = {name: value for name, value in os.environ.items() if name != "PROXY_METRICS_PORT"}
    with subprocess.Popen([sys.executable, "-m", "proxy", "worker"], env=environment) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(WORKER_END_SECONDS)
            except subprocess.TimeoutExpired:  # pragma: no cover - it gives back what it holds long before
                process.kill()


def _key_ring(connection_string: str) -> str:
    keys = {
        MASTER_KEY: {"account": ACCOUNT, "role": "master"},
        QUERY_KEY: {"account": ACCOUNT, "role": "query"},
    }
    return json.dumps({"accounts": {ACCOUNT: {"storage": {"connection_string": connection_string}}}, "keys": keys})


async def _seed(settings: Settings) -> None:
    """Writes the samples anew, so that they lie within the last days however old the emulator's volume is."""
    async with AccountRegistry(load_keyring(settings).accounts, storage_options(settings)) as accounts:
        account = accounts[ACCOUNT]
        await account.jobs.create_table()
        await account.jobs.clear()
        await account.jobs.put(list(samples.jobs()))
        async with account.blob_service() as blobs:
            for path, content in samples.exports().items():
                await upload(blobs, path, content)


def _requests(base: str) -> str:
    return REQUESTS.format(
        base=base,
        master=MASTER_KEY,
        query=QUERY_KEY,
        name=samples.DATA_SOURCE,
        load=samples.LOAD_ID,
        pending=samples.PENDING_ID,
        publish=samples.PUBLISH_ID,
    )
