"""The blocks of `docs/migrating.md`, run in their order in one shell, in a clean copy of the repository.

Another proxy with its own data and jobs stands in for Bing, local processes for `docker compose`, and a few lines of
Python for the gateway. Everything else is the guide's text.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from proxy.demo.azurite import Emulator
from proxy.keyring.file import parse_keyring
from tests.end_to_end.compose import EMULATOR, PORT
from tests.support.live import start_server
from tests.support.processes import ROOT, free_port
from tests.support.queries import AREAS, SHOPS, load_samples
from tests.support.storage import Storage
from tests.support.worker_processes import worker_process

GUIDE = ROOT / "docs" / "migrating.md"
SECONDS = 600

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class GuideRun:
    """A run of the guide: the shell's exit status and its output, whole and by step."""

    status: int
    output: str
    steps: dict[str, str]
    old_jobs: int
    exported: str


KEY = f"guide-{uuid4().hex}"
# Lines that a test cannot run. A test below checks that the guide still has them.
SKIPPED_LINES = (
    "git clone <this repository> spatial-data-proxy && cd spatial-data-proxy\n",
    "make setup && . .venv/bin/activate\n",
)


def blocks() -> list[tuple[str, str]]:
    """The guide's shell blocks, each with the number of its step."""
    text, found = GUIDE.read_text(encoding="utf-8"), []
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        number = part.split(".")[0] if part[0].isdigit() else "0"
        found += [(number, block) for block in re.findall(r"^```sh\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL)]
    return found


def copy_repository(folder: Path) -> None:
    """Copies the files that git tracks, and new ones that it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def script(old: str, new: int, account: str, emulator: Emulator) -> str:
    """The guide as one script, with the addresses of this test."""
    names = {
        "old": old,
        "new": f"http://127.0.0.1:{new}",
        "key": KEY,
        "account": account,
        "storage": emulator.connection_string,
        "programs": "legacy",
        "gateway": f"127.0.0.1:{free_port()}",
    }
    text = "set -euo pipefail\ntrap 'kill ${gateway_process:-}; docker compose down' EXIT\n"
    for number, (step, block) in enumerate(blocks()):
        chosen = re.sub(r"^(\w+)='[^']*'", lambda name: f"{name[1]}='{names[name[1]]}'", block, flags=re.MULTILINE)
        for line in SKIPPED_LINES:
            chosen = chosen.replace(line, "")
        chosen = chosen.replace('migrate --from "$old"', 'migrate --from-proxy --from "$old"')
        if "gateway=" in chosen:
            port = names["gateway"].partition(":")[2]
            text += f"python -m tests.end_to_end.gateway old-name.pem old-name.key {port} {new} & gateway_process=$!\n"
            text += f"until curl -sk -o /dev/null https://127.0.0.1:{port}; do sleep 0.1; done\n"
        text += f"echo '== {step} {number}'\n{chosen}"
    return text


@pytest.fixture(scope="module")
def guide(emulator: Emulator, account: Storage, tmp_path_factory: pytest.TempPathFactory) -> GuideRun:
    """One run of the guide."""
    folder = tmp_path_factory.mktemp("guide") / "spatial-data-proxy"
    copy_repository(folder)
    (folder / "legacy").mkdir()
    (folder / "legacy" / "app.config").write_text('<add key="base" value="https://spatial.virtualearth.net/REST/v1" />')
    (folder / "legacy" / "other.ini").write_text("base=https://maps.example.com")
    commands = tmp_path_factory.mktemp("commands")
    for command, module in (("docker", "tests.end_to_end.compose"), ("spatial-data-proxy", "proxy")):
        (commands / command).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (commands / command).chmod(0o755)
    load_samples(account)
    jobs = [account.job(DataSourceName=f"Coffee{number}") for number in range(3)]
    port, name = free_port(), f"guide-{uuid4().hex[:8]}"
    environment = {each: value for each, value in os.environ.items() if not each.startswith("PROXY_")}
    environment |= {"PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {EMULATOR: emulator.connection_string, PORT: str(port)}
    file = folder.parent / "output"
    with (
        start_server(account, keys={KEY: {"account": account.account}}) as bing,
        worker_process(account, tmp_path_factory.mktemp("bings")),
        file.open("wb") as output,
    ):
        run = subprocess.run(
            ["bash", "-c", script(bing.url, port, name, emulator)],
            cwd=folder,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=SECONDS,
        )
    text = file.read_text(encoding="utf-8")
    parts = re.split(r"^== (\d+) \d+\n", text, flags=re.MULTILINE)
    steps: dict[str, str] = {}
    for step, part in zip(parts[1::2], parts[2::2], strict=True):
        steps[step] = steps.get(step, "") + part
    exported = (folder / "keys.json").read_text(encoding="utf-8")
    return GuideRun(run.returncode, text, steps, len(jobs), exported)


def test_the_guide_runs_from_its_beginning_to_its_end(guide: GuideRun) -> None:
    assert guide.status == 0, guide.output
    assert set(guide.steps) == {"0", "1", "2", "3", "4", "5", "7", "11", "12"}


def test_the_inventory_finds_programs_by_the_old_host(guide: GuideRun) -> None:
    assert guide.steps["1"].splitlines() == ["legacy/app.config"]


def test_conformance_fails_no_rule(guide: GuideRun) -> None:
    for step in ("2", "7"):
        assert re.search(r"^\d+ rules: \d+ passed, 0 failed, \d+ skipped$", guide.steps[step], re.MULTILINE)


def test_data_sources_and_jobs_are_copied(guide: GuideRun) -> None:
    dry, real = guide.steps["4"].split("data source ")[1:]
    for name in (SHOPS, AREAS):
        assert re.search(rf"^{name} .* to copy$", dry, re.MULTILINE)
        assert re.search(rf"^{name} .* same$", real, re.MULTILINE)


def test_nothing_differs(guide: GuideRun) -> None:
    assert re.search(r"\b0 (?:are )?different", guide.steps["5"]), guide.steps["5"]


def test_the_exported_keys_are_digests_that_a_ring_takes(guide: GuideRun) -> None:
    keys = json.loads(guide.exported)["keys"]
    assert f"sha256:{sha256(KEY.encode()).hexdigest()}" in keys
    assert KEY not in guide.exported
    accounts = {
        key["account"]: {"storage": {"connection_string": "UseDevelopmentStorage=true"}} for key in keys.values()
    }
    assert len(parse_keyring(json.dumps({"accounts": accounts, "keys": keys})).grants) == len(keys)


def test_no_output_has_the_key(guide: GuideRun) -> None:
    assert KEY not in guide.output


def test_the_guide_has_the_lines_that_are_skipped() -> None:
    text = "".join(block for _, block in blocks())
    for line in SKIPPED_LINES:
        assert line in text
