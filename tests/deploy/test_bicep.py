"""`deploy/azure` as its compiler sees it; the workflow `ci` runs these with the compiler."""

import os
from pathlib import Path

import pytest

from tests.deploy.bicep_file import AZURE
from tests.deploy.tools import run_tool

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"

# Parameters that are mistakes, and what the sentence says of them.
MISTAKES = [
    ({"accounts": "main,"}, "PROXY_ACCOUNTS has ''"),
    ({"accounts": "Main_1"}, "PROXY_ACCOUNTS has 'Main_1'"),
    ({"accounts": "a--b"}, "PROXY_ACCOUNTS has 'a--b'"),
    ({"accounts": "a" * 32}, f"PROXY_ACCOUNTS has '{'a' * 32}'"),
    ({"accounts": "main,main"}, "PROXY_ACCOUNTS=main,main"),
    ({"accounts": "archive=stcontosodata"}, "PROXY_ACCOUNTS has 'archive=stcontosodata'"),
    ({"accounts": "archive=stcontosodata@"}, "PROXY_ACCOUNTS has 'archive=stcontosodata@'"),
    ({"accounts": "archive=STcontoso@rg"}, "PROXY_ACCOUNTS has 'archive=STcontoso@rg'"),
    ({"operators": "me@contoso.com"}, "PROXY_OPERATORS has 'me@contoso.com'"),
    ({"settings": "PROXY_LOG_LEVEL"}, "PROXY_SETTINGS has 'PROXY_LOG_LEVEL'"),
    ({"settings": "=warning"}, "PROXY_SETTINGS has '=warning'"),
    ({"clientNetworks": "office"}, "PROXY_CLIENT_NETWORKS has 'office'"),
    ({"clientNetworks": "203.0.113.256"}, "PROXY_CLIENT_NETWORKS has '203.0.113.256'"),
    ({"clientNetworks": "203.0.113.0/31"}, "PROXY_CLIENT_NETWORKS has '203.0.113.0/31'"),
    ({"clientNetworks": "10.0.0.0/8"}, "PROXY_CLIENT_NETWORKS has '10.0.0.0/8'"),
    ({"customDomain": "a.example"}, "PROXY_CUSTOM_DOMAIN='a.example'"),
    ({"certificateVaultId": VAULT, "certificateName": "c"}, "PROXY_CERTIFICATE_NAME='c'"),
    (
        {"customDomain": "a.example", "certificateVaultId": "kv-tls", "certificateName": "c"},
        "PROXY_CERTIFICATE_VAULT_ID='kv-tls'",
    ),
    ({"oldHostName": "spatial.virtualearth.net"}, "PROXY_OLD_HOST_NAME='spatial.virtualearth.net'"),
    ({"oldHostAddress": "10.40.4.4"}, "PROXY_OLD_HOST_ADDRESS='10.40.4.4'"),
]


@pytest.mark.parametrize("command", ["build", "lint"])
def test_the_compiler_finds_nothing(command: str) -> None:
    done = run_tool("bicep", command, str(AZURE / "main.bicep"), *(["--stdout"] if command == "build" else []))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", sorted(AZURE.rglob("*.bicep")), ids=lambda path: path.stem)
def test_a_file_has_the_format_of_the_compiler(path: Path) -> None:
    assert run_tool("bicep", "format", str(path), "--stdout").stdout.rstrip() == path.read_text("utf-8").rstrip()


@pytest.mark.parametrize(("given", "sentence"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_wrong_parameter_ends_the_deployment_with_a_sentence_that_shows_it(
    tmp_path: Path, given: dict[str, str], sentence: str
) -> None:
    done = expand(tmp_path, given)
    assert done[0] != 0
    assert sentence in done[1]


def test_right_parameters_expand(tmp_path: Path) -> None:
    assert expand(tmp_path, {"accounts": "main,archive=stcontosodata@rg-data", "settings": "A=b=c;"})[0] == 0


def expand(folder: Path, given: dict[str, str]) -> tuple[int, str]:
    """The status of `bicep snapshot` with these parameters, and what it says."""
    lines = [f"using '{os.path.relpath(AZURE / 'main.bicep', folder)}'"]
    lines += [
        f"param {name} = '{value}'" for name, value in ({"environmentName": "x", "location": "y"} | given).items()
    ]
    parameters = folder / "main.bicepparam"
    parameters.write_text("\n".join(lines), encoding="utf-8")
    done = run_tool("bicep", "snapshot", str(parameters), "--mode", "overwrite")
    return done.returncode, done.stdout + done.stderr
