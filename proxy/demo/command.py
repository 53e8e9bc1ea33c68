"""The command `demo`: an emulator, a stand-in of Azure Maps, samples, server, worker and console, and what to try."""

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from adapters.credentials.connection_string import EMULATOR_ACCOUNT, parse_connection_string
from adapters.model.key_records import MASTER, QUERY, KeyRecord
from proxy.demo import samples, seed
from proxy.demo.azurite import EmulatorError, start_emulator
from proxy.demo.console import hold_port
from proxy.demo.geocoding import create_job
from proxy.demo.maps import stand_in
from proxy.keyring.keyring import hash_key
from proxy.observability.logs import configure_logs
from proxy.server.run import listen, serve
from proxy.settings import Settings, load_settings

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
PROCESS_END_SECONDS = 20
DEFAULT_EMULATOR = "UseDevelopmentStorage=true"
MAPS_KEY_VARIABLE = "DEMO_MAPS_KEY"
DEFAULT_MAPS = "http://127.0.0.1:10003"
"""Where the stand-in is that runs elsewhere, as that of docker-compose.yml does."""

NEAREST = "&$select=Name,PrimaryCity,__Distance&$top=2"
NEARBY = f"spatialFilter=nearby(40.83,-74.31,5){NEAREST}"
NEAR_ADDRESS = f"spatialFilter=nearby(%27Verona,%20NJ%27,10){NEAREST}"

INSTRUCTIONS = """\
The proxy answers at {base}. {ending}
The console, a page for operators in a browser: {console}

Try:

  # Which shops are within 5 km of a place, the nearest first: in JSON and in Atom
  curl '{base}/REST/v1/data/{access}/{name}/{entity}?{nearby}&$format=json&key={query}'
  curl '{base}/REST/v1/data/{access}/{name}/{entity}?{nearby}&key={query}'

  # The same of an address, which Azure Maps finds. It is a stand-in here, which knows a dozen places
  curl '{base}/REST/v1/data/{access}/{name}/{entity}?{near_address}&$format=json&key={query}'

  # A finished load, in JSON and in XML
  curl '{base}/REST/v1/Dataflows/LoadDataSource/{load}?key={master}'
  curl '{base}/REST/v1/dataflows/loaddatasource/{load}?o=xml&key={master}'

  # A load that is not finished: what clients poll
  curl '{base}/REST/v1/Dataflows/LoadDataSource/{pending}?key={master}'

  # A published data source
  curl '{base}/REST/v1/data/jobs/{publish}/$getstatus?key={master}'

  # Addresses of Microsoft's documents, geocoded: the job, those with a place, and those without
  curl '{base}/REST/v1/Dataflows/Geocode/{geocoded}?key={query}'
  curl -L '{base}/REST/v1/Dataflows/Geocode/{geocoded}/output/succeeded?key={query}'
  curl -L '{base}/REST/v1/Dataflows/Geocode/{geocoded}/output/failed?key={query}'

  # A batch of your own: send it, poll until it says Completed, and fetch what was found
  job=$(printf '%s\\n' 'Bing Spatial Data Services, 2.0' \
'Id|GeocodeRequest/Query|GeocodeResponse/Point/Latitude|GeocodeResponse/Point/Longitude' \
'1|Denver, CO' '2|Boulder, CO' | curl -s --data-binary @- '{base}/REST/v1/Dataflows/Geocode?input=pipe&key={query}' | \
sed -n 's/.*"id":"\\([^"]*\\)".*/\\1/p')
  curl "{base}/REST/v1/Dataflows/Geocode/$job?key={query}"
  curl -L "{base}/REST/v1/Dataflows/Geocode/$job/output/succeeded?key={query}"

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

  export PROXY_PUBLIC_URL={base} {maps_variable}={maps_key} {keyring}
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
    settings = load_settings()
    with listen(settings) as listener:
        return _run_parts(options, settings, listener)


def _run_parts(options: Namespace, settings: Settings, listener: socket.socket) -> int:
    port = listener.getsockname()[1]
    os.environ["PROXY_PORT"] = str(port)
    os.environ["PROXY_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    console, held = _prepare_console(settings)
    try:
        with (
            held or nullcontext(),
            _storage(options.emulator) as connection_string,
            stand_in.start_stand_in() as maps,
            _ring_file(options.ring_file, ring := write_ring(connection_string, maps.url)) as variable,
        ):
            os.environ |= {"PROXY_KEYRING": ring, MAPS_KEY_VARIABLE: stand_in.KEY}
            settings = load_settings(serving=True)
            configure_logs(settings.log_level, settings.log_format)
            asyncio.run(seed.write_samples(settings, ACCOUNT, KEYS))
            if held is not None:
                held.close()
            with _beside(["worker"] if held is None else ["worker", "console"]):
                ending = (
                    "Ctrl-C ends it; the emulator goes on."
                    if options.emulator
                    else "Ctrl-C ends it and its emulator, whose data is then gone."
                )
                text = partial(
                    _instructions,
                    base=settings.public_url,
                    console=console,
                    ending=ending,
                    connection_string=connection_string,
                    keyring=variable,
                )
                # It waits for the server, which runs below.
                threading.Thread(target=announce, args=(port, text), daemon=True).start()
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
    text = _instructions(
        samples.GEOCODE_ID,
        base=settings.public_url or f"http://127.0.0.1:{settings.port}",
        console=f"http://127.0.0.1:{settings.console_port}",
        ending="Its data stays in the emulator.",
        connection_string=connection_string,
        keyring=f"PROXY_KEYRING='{ring}'",
    )
    print(text, flush=True)
    return 0


def announce(port: int, instructions: Callable[[str], str]) -> None:
    """Geocodes addresses once the server answers, and prints requests to try; the job is among them."""
    print(instructions(create_job(port, MASTER_KEY) or samples.GEOCODE_ID), flush=True)


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


def _prepare_console(settings: Settings) -> tuple[str, socket.socket | None]:
    """Holds the console's port. Returns what to print of it, and the socket; None where it can't run."""
    try:
        held = hold_port(settings)
    except ModuleNotFoundError as error:
        return f"it needs the package {error.name}, which is not installed; install spatial-data-proxy[console]", None
    os.environ["PROXY_CONSOLE_PORT"] = port = str(held.getsockname()[1])
    return f"http://127.0.0.1:{port}", held


@contextmanager
def _beside(commands: Sequence[str]) -> Iterator[None]:
    """Runs commands as other processes, which end before the emulator does."""
    # The port of metrics is the server's.
    environment = {name: value for name, value in os.environ.items() if name != "PROXY_METRICS_PORT"}
    with ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen([sys.executable, "-m", "proxy", command], env=environment)  # noqa: S603 - ours
            stack.callback(_end, stack.enter_context(process))
        yield


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PROCESS_END_SECONDS)
    except subprocess.TimeoutExpired:  # pragma: no cover - they end within seconds
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


def write_ring(connection_string: str, maps_url: str = DEFAULT_MAPS) -> str:
    """The demo's key ring: one account, with its keys in the same storage, and the stand-in for its Azure Maps."""
    storage = {"connection_string": connection_string}
    maps = {"subscription_key_env": MAPS_KEY_VARIABLE, "endpoint": maps_url}
    return json.dumps({"accounts": {ACCOUNT: {"storage": storage, "maps": maps}}, "key_store": storage})


def _instructions(geocoded: str, **places: str) -> str:
    return INSTRUCTIONS.format(
        **places,
        master=MASTER_KEY,
        query=QUERY_KEY,
        name=samples.DATA_SOURCE,
        access=samples.ACCESS_ID,
        entity=samples.ENTITY_TYPE,
        nearby=NEARBY,
        near_address=NEAR_ADDRESS,
        load=samples.LOAD_ID,
        pending=samples.PENDING_ID,
        publish=samples.PUBLISH_ID,
        geocoded=geocoded,
        maps_variable=MAPS_KEY_VARIABLE,
        maps_key=stand_in.KEY,
        account=ACCOUNT,
        program=f"{Path(sys.executable).parent / 'spatial-data-proxy'}",
    )
