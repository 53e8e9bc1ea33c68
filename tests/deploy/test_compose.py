"""`docker compose up`: storage, samples, server, worker, in this order, each confined."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.demo.azurite import Emulator
from proxy.demo.command import LIMITS
from tests.deploy.compose_rules import RULES, broken
from tests.support.processes import ROOT
from tests.support.serve_command import serving
from tests.support.storage import Storage

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

Services = dict[str, Any]

# What breaks each rule.
BREAKS: dict[str, Callable[[Services], object]] = {
    "all start in their order": lambda services: services["proxy"].update(depends_on=["azurite", "samples"]),
    "who is waited for says how it is": lambda services: services["proxy"].pop("healthcheck"),
    "each is confined": lambda services: services["azurite"].pop("read_only"),
    "ports are this machine's only": lambda services: services["azurite"]["ports"].append("8080:8080"),
    "a signed link names a port that is the same outside": lambda services: services["worker"].pop("network_mode"),
    "variables are settings": lambda services: services["proxy"]["environment"].update(PROXY_KEYRINGS="{}"),
    "server and worker use the samples' ring": lambda services: services["worker"]["environment"].update(
        PROXY_KEYRING='{"accounts": {"a": {"storage": {"connection_string": "any"}}}, "keys": {}}'
    ),
    "commands are ours": lambda services: services["samples"].update(command=["demo", "--seed"]),
    "one of each": lambda services: services["worker"].update(command=["serve"]),
    "each has the time to end": lambda services: services["proxy"].update(stop_grace_period="5s"),
    "nothing of this machine is mounted": lambda services: services["proxy"].update(volumes=["/var/run:/var/run"]),
    "the worker's files are not in memory": lambda services: services["worker"].pop("volumes"),
    "the worker has memory for its jobs": lambda services: services["worker"].update(mem_limit="1024m"),
}


def test_the_compose_file_keeps_all_rules() -> None:
    assert broken(COMPOSE) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_compose_file_that_breaks_a_rule_is_found(rule: str) -> None:
    changed = copy.deepcopy(COMPOSE)
    BREAKS[rule](changed["services"])
    assert rule in broken(changed)


@pytest.mark.parametrize("member", ["read_only", "cap_drop", "security_opt", "tmpfs"])
@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_way_to_be_less_confined_is_found(name: str, member: str) -> None:
    changed = copy.deepcopy(COMPOSE)
    del changed["services"][name][member]
    assert broken(changed) == ["each is confined"]


def samples_only(connection_string: str) -> "subprocess.CompletedProcess[str]":
    """The step that writes the samples."""
    command = [sys.executable, "-m", "proxy", "demo", "--emulator", connection_string, "--samples-only"]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PROXY_")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_step_that_writes_the_samples_does_so_for_a_server_with_the_same_ring(
    emulator: Emulator, storage: Storage, tmp_path: Path
) -> None:
    ended = samples_only(emulator.connection_string)
    assert ended.returncode == 0, ended.stderr
    assert "curl 'http://127.0.0.1:8080/REST/v1/" in ended.stdout
    ring = json.loads(COMPOSE["services"]["proxy"]["environment"]["PROXY_KEYRING"])
    ring["accounts"]["demo"]["storage"]["connection_string"] = emulator.connection_string
    file = tmp_path / "ring.json"
    file.write_text(json.dumps(ring))
    with serving(storage, keyring_file=file, jobs_table="jobs") as server:
        answer = server.get("Dataflows/ListJobs", "demo-query-key").json()
        assert answer["resourceSets"][0]["estimatedTotal"] == 27


def test_nobody_who_tries_the_compose_file_meets_a_limit_of_the_demo() -> None:
    environment = COMPOSE["services"]["proxy"]["environment"]
    assert {name: environment[name] for name in LIMITS} == LIMITS


def test_samples_are_written_to_an_emulator_only() -> None:
    ended = samples_only("AccountName=contoso;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/contoso")
    assert ended.returncode == 1
    assert ended.stderr == "the demo writes to an emulator only, whose account is devstoreaccount1\n"
