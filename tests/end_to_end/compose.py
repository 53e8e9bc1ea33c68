"""What stands in for `docker compose` where there is no container engine: `up --detach --wait`, and `down`.

It reads the compose files, and runs the commands of our services as processes of this machine, with the environment,
the order and the health checks that stand there. Instead of the emulator's service there is an emulator already.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

import yaml

EMULATOR, PORT = "GUIDE_EMULATOR", "GUIDE_PORT"
"""The variables with the connection string of the emulator, and the port that stands for 8080."""

RUNNING = Path("compose.pids")
SECONDS = 60
OURS = ("samples", "proxy", "worker")

Service = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Runs one of the two commands."""
    match arguments:
        case ["compose", *files, "up", "--detach", "--wait"]:
            return up([Path(name) for name in files if name != "-f"] or [Path("docker-compose.yml")])
        case ["compose", "down"]:
            return down()
    sys.exit(f"no such command here: {arguments}")


def up(files: list[Path]) -> int:
    """Starts our services anew, one when the one before it is healthy, or has ended well."""
    down()
    services = merged([yaml.safe_load(file.read_text())["services"] for file in files])
    for name in OURS:
        service = services[name]
        environment, healthcheck = environment_of(service), service.get("healthcheck", {})
        command = [sys.executable, "-m", "proxy", *map(argument_of, service.get("command", ["serve"]))]
        with Path(f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if healthcheck.get("disable"):
            if process.wait(SECONDS):
                return process.returncode
        else:
            with RUNNING.open("a") as running:
                running.write(f"{process.pid}\n")
            wait_until_healthy(name, healthcheck["test"], environment, process)
    return 0


def down() -> int:
    """Ends what runs."""
    for line in RUNNING.read_text().splitlines() if RUNNING.exists() else ():
        process = int(line)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
            for _ in range(200):
                os.kill(process, 0)
                time.sleep(0.1)
    RUNNING.unlink(missing_ok=True)
    return 0


def merged(files: list[dict[str, Service]]) -> dict[str, Service]:
    """The services of all files; what a later file says of an environment is added to what an earlier one says."""
    services: dict[str, Service] = {}
    for file in files:
        for name, service in file.items():
            known = services.setdefault(name, {})
            environment = known.get("environment", {}) | service.get("environment", {})
            services[name] = known | service | {"environment": environment}
    return services


def argument_of(word: str) -> str:
    """An argument of a command, with the emulator of this machine."""
    return f"{word}={os.environ[EMULATOR]}" if word == "--emulator" else word


def environment_of(service: Service) -> dict[str, str]:
    """The environment of a service, with the addresses of this machine."""
    chosen = {name: Template(str(value)).substitute(os.environ) for name, value in service["environment"].items()}
    for name, value in chosen.items():
        chosen[name] = value.replace("UseDevelopmentStorage=true", os.environ[EMULATOR])
    chosen |= {"PROXY_HOST": "127.0.0.1", "PROXY_PORT": os.environ[PORT]}
    chosen["PROXY_PUBLIC_URL"] = f"http://127.0.0.1:{os.environ[PORT]}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROXY_")}
    temporary = Path("temporary").resolve()
    temporary.mkdir(exist_ok=True)
    return kept | chosen | {"TMPDIR": str(temporary)}


def wait_until_healthy(
    name: str, test: list[str], environment: dict[str, str], process: "subprocess.Popen[bytes]"
) -> None:
    """Asks by the service's own health check."""
    assert test[:2] == ["CMD", "python"], json.dumps(test)
    end = time.monotonic() + SECONDS
    while subprocess.run([sys.executable, *test[2:]], env=environment, check=False, capture_output=True).returncode:
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{name} is not healthy:\n{Path(f'{name}.log').read_text()}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
