"""The command `demo`: an emulator, sample jobs, the server, a worker, and requests to try."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.credentials.connection_string import EMULATOR_ACCOUNT, parse_connection_string
from adapters.model.key_records import MASTER, QUERY, KeyRecord
from proxy.demo import samples, seed
from proxy.demo.azurite import EmulatorError, start_emulator
from proxy.keyring.keyring import hash_key
from proxy.observability.logs import configure_logs
from proxy.server.run import listen, serve
from proxy.settings import load_settings

# High enough that a person who tries the demo meets no limit. docker-compose.yml has the same.
LIMITS = {
    "PROXY_MAX_ACTIVE_JOBS": "200",
    "PROXY_MAX_DATA_SOURCES": "200",
    "PROXY_MAX_JOBS_PER_DAY": "5000",
}

ACCOUNT = "demo"
MASTER_KEY = "demo-master-key"
QUERY_KEY = "demo-query-key"
KEYS = (
    KeyRecord(hash_key(MASTER_KEY.encode()).hex(), ACCOUNT, MASTER, "demo master"),
    KeyRecord(hash_key(QUERY_KEY.encode()).hex(), ACCOUNT, QUERY, "demo query"),
)
WORKER_END_SECONDS = 20
DEFAULT_EMULATOR = "UseDevelopmentStorage=true"

INSTRUCTIONS = """\
The proxy answers at {base}. {ending} Try:

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

  # The data source that those jobs are about, and its entity types
  curl '{base}/REST/v1/data/{access}/{name}?key={query}'
  curl '{base}/REST/v1/data/{access}/{name}/$metadata?key={query}'

  # A key that there is not
  curl -i '{base}/REST/v1/Dataflows/ListJobs?key=wrong'

Give a program a key of its own, in another terminal. The server takes it at once:

  export PROXY_PUBLIC_URL={base} {keyring}
  key=$({program} keys add --account {account} --name 'store locator' --generate)
  curl "{base}/REST/v1/Dataflows/ListJobs?key=$key"
  {program} keys list

Five seconds after this, the same request is refused:

  {program} keys revoke --name 'store locator'

The other commands work there too:

  {program} check
  {program} jobs list

Storage explorers take the emulator's connection string (its key is Microsoft's public one for emulators):

  {connection_string}
"""


def run_demo(options: Namespace) -> int:
    """Runs the demo until Ctrl-C and returns the exit status. With `--samples-only` it writes the samples and ends."""
    if options.samples_only:
        return _write_samples(options.emulator or DEFAULT_EMULATOR)
    os.environ.pop("PROXY_KEYRING_FILE", None)
    os.environ["PROXY_KEYRING"] = "{}"
    os.environ.setdefault("PROXY_HOST", "127.0.0.1")
    os.environ.setdefault("PROXY_LOG_FORMAT", "text")
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the emulator ends too
    listener = listen(load_settings())
    port = listener.getsockname()[1]
    os.environ["PROXY_PORT"] = str(port)
    os.environ["PROXY_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    try:
        with (
            listener,
            _storage(options.emulator) as connection_string,
            _ring_file(options.ring_file, write_ring(connection_string)) as variable,
        ):
            os.environ["PROXY_KEYRING"] = write_ring(connection_string)
            settings = load_settings(serving=True)
            configure_logs(settings.log_level, settings.log_format)
            asyncio.run(seed.write_samples(settings, ACCOUNT, KEYS))
            with _worker():
                ending = (
                    "Ctrl-C ends it; the emulator goes on."
                    if options.emulator
                    else "Ctrl-C ends it and its emulator, whose data is then gone."
                )
                print(_instructions(settings.public_url, ending, connection_string, variable), flush=True)
                return serve(settings, listener)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1


def _write_samples(emulator: str) -> int:
    """Writes the samples for a server and a worker that run elsewhere with the demo's key ring."""
    os.environ.pop("PROXY_KEYRING_FILE", None)
    try:
        with _storage(emulator) as connection_string:
            ring = write_ring(connection_string)
            settings = load_settings(keyring=ring)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1
    configure_logs(settings.log_level, "text")
    asyncio.run(seed.write_samples(settings, ACCOUNT, KEYS))
    base = settings.public_url or f"http://127.0.0.1:{settings.port}"
    ending = "Its data stays in the emulator."
    print(_instructions(base, ending, connection_string, f"PROXY_KEYRING='{ring}'"), flush=True)
    return 0


@contextmanager
def _storage(emulator: str | None) -> Iterator[str]:
    """Yields the connection string of a running emulator, or of one that is started and ends with the context."""
    if emulator:
        # Each start overwrites the jobs that are there, so the demo must never get a real account.
        if parse_connection_string(emulator).account_name != EMULATOR_ACCOUNT:
            raise EmulatorError(f"the demo writes to an emulator only, whose account is {EMULATOR_ACCOUNT}")
        yield emulator
    else:
        with start_emulator() as started:
            yield started.connection_string


@contextmanager
def _worker() -> Iterator[None]:
    """Runs a worker as another process, which ends before the emulator does."""
    # The port of metrics is the server's.
    environment = {name: value for name, value in os.environ.items() if name != "PROXY_METRICS_PORT"}
    with subprocess.Popen([sys.executable, "-m", "proxy", "worker"], env=environment) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(WORKER_END_SECONDS)
            except subprocess.TimeoutExpired:  # pragma: no cover - a worker ends within seconds
                process.kill()


@contextmanager
def _ring_file(path: Path | None, ring: str) -> Iterator[str]:
    """Writes the ring for commands beside the demo, if a file is named. Yields the variable that names the ring."""
    if path is None:
        yield f"PROXY_KEYRING='{ring}'"
        return
    path.write_text(f"{ring}\n", encoding="utf-8")
    try:
        yield f"PROXY_KEYRING_FILE={shlex.quote(str(path.resolve()))}"
    finally:
        path.unlink(missing_ok=True)


def write_ring(connection_string: str) -> str:
    """The demo's key ring: one account, with its keys in the same storage."""
    storage = {"connection_string": connection_string}
    return json.dumps({"accounts": {ACCOUNT: {"storage": storage}}, "key_store": storage})


def _instructions(base: str, ending: str, connection_string: str, keyring: str) -> str:
    return INSTRUCTIONS.format(
        base=base,
        ending=ending,
        master=MASTER_KEY,
        query=QUERY_KEY,
        name=samples.DATA_SOURCE,
        access=samples.ACCESS_ID,
        load=samples.LOAD_ID,
        pending=samples.PENDING_ID,
        publish=samples.PUBLISH_ID,
        account=ACCOUNT,
        keyring=keyring,
        connection_string=connection_string,
        program=f"{Path(sys.executable).parent / 'spatial-data-proxy'}",
    )
