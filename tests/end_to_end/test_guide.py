"""`deploy/MIGRATING.md`, its blocks run one after the other in one shell, in a clean copy of the repository.

Bing is played by another proxy with jobs of its own, `docker compose` by the processes that it would run, and the
gateway by a few lines of Python. All else is what stands in the guide.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from proxy.demo.azurite import Emulator
from tests.end_to_end.compose import EMULATOR, PORT
from tests.support.live import start_server
from tests.support.processes import ROOT, free_port
from tests.support.storage import Storage

GUIDE = ROOT / "deploy" / "MIGRATING.md"
SECONDS = 150


@dataclass(frozen=True)
class Followed:
    """The guide as it was followed: what the shell said of each step."""

    status: int
    said: str
    steps: dict[str, str]
    old_jobs: int


# What stands in for what a test can't have; each must be in the guide, so that none is forgotten there.
KEY = f"guide-{uuid4().hex}"
ACCESS_ID = uuid4().hex
NOT_HERE = (
    "git clone <this repository> spatial-data-proxy && cd spatial-data-proxy\n",
    "make setup && . .venv/bin/activate\n",
)


def blocks() -> list[tuple[str, str]]:
    """Every block for a shell, with the number of its step."""
    text, found = GUIDE.read_text(encoding="utf-8"), []
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        number = part.split(".")[0] if part[0].isdigit() else "0"
        found += [(number, block) for block in re.findall(r"^```sh\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL)]
    return found


def clean_copy(folder: Path) -> None:
    """All files of the repository that are kept in it, or will be."""
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
    """The guide as one script, with the names of this machine."""
    names = {
        "old": old,
        "new": f"http://127.0.0.1:{new}",
        "key": KEY,
        "account": account,
        "storage": emulator.connection_string,
        "programs": "legacy",
        "source": "Coffee7",  # which no job is about
        "access_id": ACCESS_ID,
        "gateway": f"127.0.0.1:{free_port()}",
    }
    text = "set -euo pipefail\ntrap 'kill ${gateway_process:-}; docker compose down' EXIT\n"
    for number, (step, block) in enumerate(blocks()):
        chosen = re.sub(r"^(\w+)='[^']*'", lambda name: f"{name[1]}='{names[name[1]]}'", block, flags=re.MULTILINE)
        for line in NOT_HERE:
            chosen = chosen.replace(line, "")
        if "gateway=" in chosen:
            port = names["gateway"].partition(":")[2]
            text += f"python -m tests.end_to_end.gateway old-name.pem old-name.key {port} {new} & gateway_process=$!\n"
            text += f"until curl -sk -o /dev/null https://127.0.0.1:{port}; do sleep 0.1; done\n"
        text += f"echo '== {step} {number}'\n{chosen}"
    return text


@pytest.fixture(scope="module")
def followed(emulator: Emulator, account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The guide, followed once."""
    folder = tmp_path_factory.mktemp("guide") / "spatial-data-proxy"
    clean_copy(folder)
    (folder / "legacy").mkdir()
    (folder / "legacy" / "app.config").write_text('<add key="base" value="https://spatial.virtualearth.net/REST/v1" />')
    (folder / "legacy" / "other.ini").write_text("base=https://maps.example.com")
    commands = tmp_path_factory.mktemp("commands")
    (commands / "docker").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.end_to_end.compose "$@"\n')
    (commands / "docker").chmod(0o755)
    jobs = [account.job(DataSourceName=f"Coffee{number}", LegacyId=uuid4().hex) for number in range(3)]
    account.download("Coffee1", OutputBlob=account.export())  # the list leaves it out
    port, name = free_port(), f"guide-{uuid4().hex[:8]}"
    environment = {each: value for each, value in os.environ.items() if not each.startswith("PROXY_")}
    environment |= {"PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {EMULATOR: emulator.connection_string, PORT: str(port)}
    file = folder.parent / "said"
    with start_server(account, keys={KEY: {"account": account.account}}) as bing, file.open("wb") as said:
        run = subprocess.run(
            ["bash", "-c", script(bing.url, port, name, emulator)],
            cwd=folder,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=SECONDS,
        )
    text = file.read_text(encoding="utf-8")
    parts = re.split(r"^== (\d+) \d+\n", text, flags=re.MULTILINE)
    steps: dict[str, str] = {}
    for step, part in zip(parts[1::2], parts[2::2], strict=True):
        steps[step] = steps.get(step, "") + part
    return Followed(run.returncode, text, steps, len(jobs))


def test_it_can_be_followed_from_its_beginning_to_its_end(followed: Followed) -> None:
    assert followed.status == 0, followed.said
    assert set(followed.steps) == {"0", "1", "2", "3", "4", "6", "8", "11"}


def test_the_inventory_finds_programs_by_the_old_host(followed: Followed) -> None:
    assert followed.steps["1"].splitlines() == ["legacy/app.config"]


def test_conformance_breaks_nothing(followed: Followed) -> None:
    for step in ("2", "6"):
        assert re.search(r"^\d+ rules: \d+ kept, 0 broken, \d+ not judged$", followed.steps[step], re.MULTILINE), step
    assert "0 rules are kept by Bing and broken by the proxy" in followed.steps["8"]


def test_the_history_comes_along(followed: Followed) -> None:
    assert f'"estimatedTotal":{followed.old_jobs}' in followed.steps["4"]


def test_a_data_source_without_a_recent_job_keeps_its_access_id(followed: Followed) -> None:
    assert f"Coffee7 has the access id {ACCESS_ID} from its first load on\n" in followed.steps["4"]


def test_the_key_is_nowhere_in_what_is_said(followed: Followed) -> None:
    assert KEY not in followed.said


def test_all_that_a_test_leaves_out_stands_in_the_guide() -> None:
    text = "".join(block for _, block in blocks())
    for line in NOT_HERE:
        assert line in text
