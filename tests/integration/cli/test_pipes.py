"""A command whose reader goes away ends quietly, as usual tools do; one whose disk is full says so in one line."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.storage import Storage

pytestmark = pytest.mark.slow

PIPE_CLOSED = 141

# However late the reader is, the command starts when it has gone.
CLOSED = "closed() { trap '' PIPE; while printf .; do sleep 0.02; done 2>/dev/null; }"


@pytest.fixture(scope="module")
def environment(account: Storage) -> dict[str, str]:
    """What a command needs: more jobs than a pipe and its reader's first look hold."""
    for _ in range(6):
        account.job("Geocode", Description="x" * 30_000)
    ring = {
        "accounts": {account.account: {"storage": {"connection_string": account.connection_string}}},
        "keys": {"a-key": {"account": account.account}},
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROXY_", "PYTHONUNBUFFERED"))}
    return kept | {
        "PROXY_KEYRING": json.dumps(ring),
        "PROXY_JOBS_TABLE": account.table_name,
        "PROXY_PUBLIC_URL": "http://127.0.0.1",
        "PROXY_STORAGE_TIMEOUT": "60",
    }


def shell(script: str, environment: dict[str, str]) -> tuple[list[int], str]:
    """The exit status of each part of a pipe, and what was said on standard error."""
    text = f'proxy() {{ \'{sys.executable}\' -m proxy "$@"; }}\n{CLOSED}\n{script}\necho "${{PIPESTATUS[@]}}" >&3'
    reading, writing = os.pipe()
    with os.fdopen(reading) as statuses:
        ran = subprocess.run(
            ["bash", "-c", f"exec 3>&{writing}\n{text}"],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
            pass_fds=[writing],
        )
        os.close(writing)
        return [int(each) for each in statuses.read().split()], ran.stderr


@pytest.mark.parametrize("command", ["jobs list --table", "check", "--help"])
def test_a_pipe_that_is_closed_at_once_ends_a_command_quietly(command: str, environment: dict[str, str]) -> None:
    statuses, err = shell(f"{{ closed; proxy {command}; }} | exec 0<&-", environment)
    assert (statuses, err) == ([PIPE_CLOSED, 0], "")


def test_a_pipe_that_is_closed_in_the_middle_ends_a_command_quietly(environment: dict[str, str]) -> None:
    assert shell("proxy jobs list | head -n 1 > /dev/null", environment) == ([PIPE_CLOSED, 0], "")


@pytest.mark.parametrize("command", ["jobs list", "keys list"])
def test_a_command_without_standard_output_ends_as_usual(command: str, environment: dict[str, str]) -> None:
    assert shell(f"proxy {command} >&-", environment) == ([0], "")


def test_messages_that_nobody_reads_end_a_command_quietly(environment: dict[str, str]) -> None:
    statuses, err = shell("{ closed; proxy keys revoke ab 2>&1 > /dev/null; } | exec 0<&-", environment)
    assert (statuses, err) == ([PIPE_CLOSED, 0], "")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("keys add --account a", "PROXY_KEYRING_FILE must name the file to edit"),
        ("conformance --base-url http://127.0.0.1:1 --key -", "--key: must not be empty"),
        ("jobs import -", "-: not a job answer in JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_command_without_standard_input_says_what_is_missing(
    command: str, told: str, environment: dict[str, str]
) -> None:
    assert shell(f"proxy {command} <&-", environment) == ([1], f"{told}\n")


@pytest.mark.parametrize("command", ["jobs list", "--version"])
def test_a_full_disk_is_one_line(command: str, environment: dict[str, str]) -> None:
    statuses, err = shell(f"proxy {command} > /dev/full", environment)
    assert (statuses, err) == ([1], "standard output: No space left on device\n")
