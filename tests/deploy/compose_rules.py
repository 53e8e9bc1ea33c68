"""What a compose file must keep to, and which of it is broken."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proxy.cli.main import parser
from proxy.demo.command import ACCOUNT, MASTER_KEY, QUERY_KEY
from proxy.keyring.file import parse_keyring
from proxy.settings import load_settings
from tests.deploy import worker_needs
from tests.deploy.variables import unknown

Compose = Mapping[str, Any]

# Who waits for whom, and for what.
ORDER = {
    "samples": {"azurite": "service_healthy"},
    "proxy": {"azurite": "service_healthy", "samples": "service_completed_successfully"},
    "worker": {"proxy": "service_healthy"},
}

OURS = ("samples", "proxy", "worker")

# All that SIGTERM may take is less.
END_SECONDS = 10


def _services(compose: Compose) -> list[dict[str, Any]]:
    return list(compose["services"].values())


def _conditions(service: Mapping[str, Any]) -> dict[str, str]:
    waits = service.get("depends_on", {})
    return {name: wait["condition"] for name, wait in waits.items()} if isinstance(waits, dict) else {}


def _awaited(compose: Compose) -> Iterator[Mapping[str, Any]]:
    """Who must be healthy before another starts, and the worker, which is the last."""
    for service in _services(compose):
        for name, condition in _conditions(service).items():
            if condition == "service_healthy":
                yield compose["services"][name]
    yield compose["services"]["worker"]


def _checked(service: Mapping[str, Any]) -> bool:
    check = service.get("healthcheck", {})
    return check.get("test", [""])[0] == "CMD" and {"interval", "timeout", "retries"} <= set(check)


def _confined(service: Mapping[str, Any]) -> bool:
    return (
        service.get("read_only") is True
        and service.get("cap_drop") == ["ALL"]
        and service.get("security_opt") == ["no-new-privileges:true"]
        and service.get("tmpfs") == ["/tmp"]  # noqa: S108 - the container's own
        and not {"privileged", "cap_add", "user", "devices", "pid"} & set(service)
    )


def _variables(compose: Compose) -> Iterator[tuple[str, str]]:
    for service in _services(compose):
        yield from service.get("environment", {}).items()


def _ring_opens(service: Mapping[str, Any]) -> bool:
    environment = {name.removeprefix("PROXY_").lower(): text for name, text in service["environment"].items()}
    ring = parse_keyring(environment["keyring"])
    settings = load_settings(serving=True, **{name: text for name, text in environment.items() if name != "tmpdir"})
    keys = json.loads(environment["keyring"])["keys"]
    return set(ring.accounts) == {ACCOUNT} and set(keys) == {MASTER_KEY, QUERY_KEY} and settings.port == 8080


def _commands(compose: Compose) -> list[list[str]]:
    return [compose["services"][name].get("command", ["serve"]) for name in OURS]


def _parses(command: list[str]) -> bool:
    try:
        parser().parse_args(command)
    except SystemExit:
        return False
    return True


RULES: Mapping[str, Callable[[Compose], object]] = {
    "all start in their order": lambda compose: all(
        _conditions(compose["services"][name]) == waits for name, waits in ORDER.items()
    ),
    "who is waited for says how it is": lambda compose: all(map(_checked, _awaited(compose))),
    "each is confined": lambda compose: all(map(_confined, _services(compose))),
    "ports are this machine's only": lambda compose: all(
        re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
        for service in _services(compose)
        for port in service.get("ports", [])
    ),
    "a signed link names a port that is the same outside": lambda compose: (
        {f"127.0.0.1:{port}:{port}" for port in (8080, 10000, 10001, 10002)}
        == set(compose["services"]["azurite"]["ports"])
        and all(compose["services"][name].get("network_mode") == "service:azurite" for name in OURS)
    ),
    "variables are settings": lambda compose: not unknown(name for name, _ in _variables(compose)),
    "server and worker use the samples' ring": lambda compose: all(
        _ring_opens(compose["services"][name]) for name in ("proxy", "worker")
    ),
    "commands are ours": lambda compose: all(map(_parses, _commands(compose))),
    "one of each": lambda compose: [command[0] for command in _commands(compose)] == ["demo", "serve", "worker"],
    "each has the time to end": lambda compose: all(
        int(compose["services"][name].get("stop_grace_period", "10s").removesuffix("s")) > END_SECONDS for name in OURS
    ),
    "nothing of this machine is mounted": lambda compose: all(
        volume.split(":")[0] in compose["volumes"]
        for service in _services(compose)
        for volume in service.get("volumes", [])
    ),
    "the worker's files are not in memory": lambda compose: any(
        volume.split(":")[1] == compose["services"]["worker"]["environment"].get("TMPDIR")
        for volume in compose["services"]["worker"].get("volumes", [])
    ),
    "the worker has memory for its jobs": lambda compose: (
        int(compose["services"]["worker"].get("mem_limit", "0m").removesuffix("m")) * 1024**2 >= worker_needs.MEMORY
    ),
}


def broken(compose: Compose) -> list[str]:
    """The rules that a compose file breaks."""
    return [rule for rule, holds in RULES.items() if not holds(compose)]
