"""`deploy/azure` as its compiler sees it; the workflow `ci` runs these with the compiler."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.bicep_file import AZURE
from tests.deploy.tools import run_tool

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"

GUID = "00000000-0000-0000-0000-000000000001"

# Parameters that are mistakes, and what the sentence says of them.
MISTAKES: list[tuple[dict[str, str | bool], str]] = [
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
    ({"console": True}, "PROXY_CONSOLE=true, PROXY_CONSOLE_CLIENT_ID='' and PROXY_CONSOLE_PRINCIPALS=''"),
    ({"console": True, "consoleClientId": GUID}, f"PROXY_CONSOLE_CLIENT_ID='{GUID}' and PROXY_CONSOLE_PRINCIPALS=''"),
    (
        {"console": True, "consoleClientId": "console", "consolePrincipals": GUID},
        "PROXY_CONSOLE_CLIENT_ID='console'",
    ),
    (
        {"console": True, "consoleClientId": GUID, "consolePrincipals": "me@contoso.com"},
        "PROXY_CONSOLE_PRINCIPALS has 'me@contoso.com'",
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
    tmp_path: Path, given: dict[str, str | bool], sentence: str
) -> None:
    done = expand(tmp_path, given)
    assert done[0] != 0
    assert sentence in done[1]


def test_right_parameters_expand(tmp_path: Path) -> None:
    assert expand(tmp_path, {"accounts": "main,archive=stcontosodata@rg-data", "settings": "A=b=c;"})[0] == 0
    console: dict[str, str | bool] = {
        "console": True,
        "consoleClientId": GUID,
        "consolePrincipals": f"{GUID}, {GUID}",
        "proxyImage": "a",
    }
    assert expand(tmp_path, console)[0] == 0


def expand(folder: Path, given: Mapping[str, str | bool]) -> tuple[int, str]:
    """The status of `bicep snapshot` with these parameters, and what it says."""
    lines = [f"using '{os.path.relpath(AZURE / 'main.bicep', folder)}'"]
    for name, value in {"environmentName": "x", "location": "y", **given}.items():
        lines.append(f"param {name} = " + (str(value).lower() if isinstance(value, bool) else f"'{value}'"))
    parameters = folder / "main.bicepparam"
    parameters.write_text("\n".join(lines), encoding="utf-8")
    done = run_tool("bicep", "snapshot", str(parameters), "--mode", "overwrite")
    return done.returncode, done.stdout + done.stderr
