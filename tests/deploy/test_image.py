"""The image: hadolint judges its Dockerfile; here stands what only this project knows."""

import json
import re
import tomllib

import pytest

from proxy.demo.azurite import KEEP_ALIVE_SECONDS, SERVICES
from tests.deploy.tools import ROOT, run_tool

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
EMULATOR = (ROOT / "deploy" / "emulator" / "Dockerfile").read_text(encoding="utf-8")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with continued lines joined: name and rest."""
    lines = "\n".join(line for line in text.splitlines() if line and not line.lstrip().startswith("#"))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in re.sub(r"\\\n\s*", " ", lines).splitlines()]


def last(text: str, name: str) -> str:
    """What the last instruction of a name says."""
    return next(rest for found, rest in reversed(instructions(text)) if found == name)


@pytest.mark.parametrize("file", ["deploy/Dockerfile", "deploy/emulator/Dockerfile"])
def test_hadolint_finds_nothing(file: str) -> None:
    done = run_tool("hadolint", "--failure-threshold", "warning", file)
    assert done.returncode == 0, done.stdout


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    assert last(DOCKERFILE, "USER") == "10001:10001"  # Kubernetes can tell a number from root, not a name
    assert last(EMULATOR, "USER") == "1000:1000"


def test_commands_are_in_exec_form_so_that_signals_arrive() -> None:
    assert json.loads(last(DOCKERFILE, "ENTRYPOINT")) == ["python", "-m", "proxy"]
    assert json.loads(last(DOCKERFILE, "CMD")) == ["serve"]
    assert json.loads(last(DOCKERFILE, "HEALTHCHECK").partition("CMD ")[2]) == [
        "python",
        "-m",
        "proxy.cli.healthcheck",
    ]
    assert json.loads(last(EMULATOR, "ENTRYPOINT"))


def test_the_emulator_keeps_idle_connections_as_long_as_that_of_the_demo() -> None:
    options = json.loads(last(EMULATOR, "CMD"))
    for service in SERVICES:
        assert options[options.index(f"--{service.lower()}KeepAliveTimeout") + 1] == str(KEEP_ALIVE_SECONDS)


def test_dependencies_are_pinned_by_hash_and_within_the_projects_bounds() -> None:
    installs = [part for _, rest in instructions(DOCKERFILE) for part in rest.split("&&") if "pip" in part]
    fetching = [part for part in installs if " install " in part and "--no-deps" not in part]
    assert fetching
    assert all("--require-hashes" in part for part in fetching)
    pinned = (ROOT / "deploy" / "requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for wanted in [
        *project["dependencies"],
        *(each for name in ("metrics", "tracing", "console", "worker") for each in extras[name]),
    ]:
        name = re.match(r"[A-Za-z0-9.-]+", wanted)
        assert name is not None
        assert re.search(rf"^{re.escape(name[0])}==\S+", pinned, re.MULTILINE), f"make pins: {name[0]} is missing"
    assert "://" not in pinned


def test_the_build_fails_where_a_part_of_the_program_lacks_a_package() -> None:
    (loading,) = [rest for name, rest in instructions(DOCKERFILE) if name == "RUN" and '"import uvloop' in rest]
    assert {"proxy.server.app", "proxy.cli.worker", "proxy.cli.console"} <= set(re.findall(r"proxy[.\w]+", loading))


def test_nothing_can_be_installed_in_the_image() -> None:
    stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert all(f"'{name}'" in stage for name in ("pip", "setuptools", "wheel", "ensurepip"))
    assert all(rest.startswith("--from=") for name, rest in instructions(f"FROM {stage}") if name == "COPY")


def test_the_version_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"ARG VERSION={version}\n" in DOCKERFILE
    assert 'org.opencontainers.image.version="${VERSION}"' in DOCKERFILE


def test_only_what_the_images_copy_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert (rules[0], rules[-1]) == ("*", "**/__pycache__")
    copied = {
        source
        for name, rest in [*instructions(DOCKERFILE), *instructions(EMULATOR)]
        if name == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    }
    assert {rule.removeprefix("!") for rule in rules[1:-1]} == copied
