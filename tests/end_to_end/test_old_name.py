"""Real programs poll a job by Bing's name, through a hosts file and a gateway with an internal authority's certificate.

Each program runs as it is on machines of its own: one that trusts a public authority only, one with the internal
authority in the system's store, and one where it is pointed to that authority as the table of `docs/old-name.md` says.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import block, code, read, section, table
from tests.end_to_end.machine import Machine, make_java_store, missing, run
from tests.end_to_end.programs import POLLERS, PROGRAMS, Program
from tests.support.live import MASTER, WAIT_SECONDS, start_server
from tests.support.processes import ROOT, free_port
from tests.support.storage import Storage

OLD, PUBLIC = "spatial.virtualearth.net", "public.example.com"
SECONDS = 120
BUILDS = ("javac -d . {}/Poll.java", "go build -o poll {}/poll.go")


@dataclass(frozen=True)
class Network:
    """Two gateways before one server, and machines that know their names.

    Args:
        folder: where programs run; it has the files that the page names.
        urls: the job's, by the old name with https, by a name with a public certificate, and by the old name with http.
        plain: a machine that trusts the public authority.
        pointed: another such machine, for programs that are pointed to the internal authority.
        trusting: a machine with the internal authority in the system's store as well.
    """

    folder: Path
    urls: tuple[str, ...]
    plain: Machine
    pointed: Machine
    trusting: Machine

    def poll(self, machine: Machine, program: Program, way: str = "") -> list[str]:
        """What the program prints for each URL."""
        words = shlex.split(program.command.format(way))
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        done = subprocess.run(
            machine.command(*words, *self.urls),
            cwd=self.folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        lines = [line.strip() for line in done.stdout.splitlines()]
        assert len(lines) == len(self.urls), done.stdout + done.stderr
        return lines


def make_certificates(folder: Path, name: str) -> Path:
    """Runs the guide's block for a name; gives the authority's file."""
    folder.mkdir()
    text = block(section(read("docs/migrating.md"), "## 7. The old name and TLS"), "sh").replace(OLD, name)
    # OpenSSL finds an issuer by its subject: two authorities need two.
    run("bash", "-ec", text.replace("Authority for the old Bing host", f"Authority for {name}"), folder=folder)
    return folder / "authority.pem"


@contextmanager
def start_gateway(authority: Path, upstream: int) -> Iterator[int]:
    """Runs the gateway with the certificate beside its authority; gives its port."""
    port = free_port()
    certificate = (str(authority.parent / "old-name.pem"), str(authority.parent / "old-name.key"))
    words = [sys.executable, "-m", "tests.end_to_end.gateway", *certificate, str(port), str(upstream)]
    with subprocess.Popen(words, cwd=ROOT) as process:
        try:
            end = time.monotonic() + WAIT_SECONDS
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert time.monotonic() < end
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def prepare_folder(folder: Path, authority: Path) -> None:
    """Writes the files that the page names, and builds the pollers that need it."""
    shutil.copy(authority, folder / "authority.pem")
    # The page's bundle has the public authorities too. Without them a test sees whether they are still trusted.
    shutil.copy(authority, folder / "bundle.pem")
    if shutil.which("keytool"):
        make_java_store(folder / "bundle.p12", authority)
    for build in BUILDS:
        words = shlex.split(build.format(POLLERS))
        if shutil.which(words[0]):
            subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=SECONDS)


@pytest.fixture(scope="module")
def network(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """One server, two gateways, three machines."""
    if reason := missing():
        pytest.skip(f"programs get a hosts file of their own, but {reason}")
    folder = tmp_path_factory.mktemp("old-name")
    authority, public = make_certificates(folder / "internal", OLD), make_certificates(folder / "public", PUBLIC)
    prepare_folder(folder, authority)
    names, path = (OLD, PUBLIC), f"REST/v1/Dataflows/LoadDataSource/{account.job()}?key={MASTER}"
    with (
        start_server(account) as server,
        start_gateway(authority, server.port) as old,
        start_gateway(public, server.port) as other,
    ):
        yield Network(
            folder,
            (f"https://{OLD}:{old}/{path}", f"https://{PUBLIC}:{other}/{path}", f"http://{OLD}:{server.port}/{path}"),
            plain=Machine.make(folder / "plain", names, (public,), public),
            pointed=Machine.make(folder / "pointed", names, (public,), public),
            trusting=Machine.make(folder / "trusting", names, (public, authority), public),
        )


@cache
def absent(needs: str) -> str:
    """Why a program cannot run here, or an empty text."""
    try:
        subprocess.run(shlex.split(needs), check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return ""


def is_refused(line: str) -> bool:
    """Whether the program refused the server's certificate, and nothing else went wrong."""
    return "certif" in line.lower()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_polls_by_the_old_name_once_it_trusts_the_authority(name: str, network: Network) -> None:
    program = PROGRAMS[name]
    if reason := absent(program.needs):
        pytest.skip(reason)
    without = network.plain if program.by_system else network.trusting
    old, public, plain = network.poll(without, program)
    assert is_refused(old), old
    assert public == "200" or program.built_in, public
    assert plain == "200", plain

    if program.by_system:
        assert network.poll(network.trusting, program) == ["200"] * 3

    if program.way:
        machine = network.trusting if program.way_to_system else network.pointed
        old, public, _ = network.poll(machine, program, program.way)
        assert old == "200", old
        assert program.adds is None or (public == "200") is program.adds, public
        assert public == "200" or is_refused(public), public


def test_the_certificate_passes_strict_checks(network: Network) -> None:
    run(
        "openssl",
        "verify",
        "-x509_strict",
        "-CAfile",
        "authority.pem",
        "old-name.pem",
        folder=network.folder / "internal",
    )


def test_the_authority_can_speak_for_no_other_name(network: Network) -> None:
    sign = "x509 -req -in ../public/old-name.csr -CA authority.pem -CAkey authority.key -CAcreateserial"
    folder = network.folder / "internal"
    run("openssl", *sign.split(), "-extfile", "../public/old-name.ext", "-out", "other.pem", folder=folder)
    verify = ("openssl", "verify", "-CAfile", "authority.pem", "other.pem")
    done = subprocess.run(verify, cwd=folder, check=False, capture_output=True, text=True)
    assert "permitted subtree violation" in done.stderr


def test_the_page_says_what_these_programs_did() -> None:
    rows = {name: row[1:] for row in table(read("docs/old-name.md"), "program |") for name in row[0].split(", ")}
    for name, program in PROGRAMS.items():
        trusted, way, effect, evidence = rows.pop(name)
        assert trusted.startswith("the system's") is program.by_system, name
        assert not program.way or program.way in code(way), name
        assert program.adds is None or (effect == "replaces") is not program.adds, name
        assert evidence.startswith("seen, "), name
    assert [name for name, row in rows.items() if row[-1] != "documented"] == []


def test_no_answer_has_browsers_stay_with_https(account: Storage) -> None:
    with start_server(account) as server:
        assert "strict-transport-security" not in server.get("Dataflows/ListJobs").headers
