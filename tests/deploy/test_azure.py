"""`deploy/azure`: the Bicep compiler judges the files; here stands what ties them to the program and to SECURITY.md."""

import json
import re
from typing import Any

import pytest
import yaml
from tree_sitter import Node

from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.job_queue import queue_name
from adapters.tables.data_source_store import TABLE
from proxy.keyring.file import parse_keyring
from proxy.settings import Settings, variable_name
from tests.deploy import worker_needs
from tests.deploy.bicep_file import AZURE, BicepFile, Declaration, all_files, members, plain, text_of, walk
from tests.deploy.bicep_roles import GRANTS, ROLES, SECURITY, assignments, documented_roles, granted, short
from tests.deploy.tools import ROOT, run_tool

AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
PARAMETERS: dict[str, Any] = json.loads((AZURE / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
FILES = all_files()
MAIN = BicepFile.read(AZURE / "main.bicep")
APPS = {name: BicepFile.read(AZURE / "modules" / f"{name}.bicep") for name in ("proxy", "worker")}
STORAGE = BicepFile.read(AZURE / "modules" / "storage.bicep")
DOCUMENTED, ACTIONS = documented_roles(SECURITY.read_text(encoding="utf-8"))

OF_AZURE = {"AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"}
ACCOUNTS = "Microsoft.Storage/storageAccounts"

# A resource's type, a path in it, and the only text that may stand there.
FIXED = [
    (ACCOUNTS, "properties.allowBlobPublicAccess", "false"),
    (ACCOUNTS, "properties.allowSharedKeyAccess", "false"),
    (ACCOUNTS, "properties.minimumTlsVersion", "TLS1_2"),
    (ACCOUNTS, "properties.supportsHttpsTrafficOnly", "true"),
    (f"{ACCOUNTS}/blobServices", "properties.deleteRetentionPolicy.enabled", "true"),
    (f"{ACCOUNTS}/blobServices/containers", "properties.publicAccess", "None"),
    ("Microsoft.ContainerRegistry/registries", "properties.adminUserEnabled", "false"),
    ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", "true"),
    ("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", "true"),
    ("Microsoft.App/containerApps", "identity.type", "UserAssigned"),
]
# Functions that return a key, and members that hold one.
SECRETS = re.compile(r"\b(listKeys|listCredentials|listAccountSas|listServiceSas|sharedKey|connectionString)\b")


def app(name: str) -> Declaration:
    return APPS[name].of_kind("resource")[name]


def environment(name: str) -> dict[str, Node]:
    """The settings that an app's file gives it."""
    given = APPS[name].of_kind("var")["ownSettings"].given
    assert given is not None
    entries = [members(entry) for entry in given.named_children]
    return {plain(entry["name"]) or "": entry["value"] for entry in entries}


def literals(declared: Declaration) -> set[str]:
    """The texts of the list that a loop goes through."""
    loop = next(node for node in walk(declared.node) if node.type == "for_statement")
    return {plain(item) or "" for item in loop.named_children[1].named_children}


def test_the_compiler_finds_nothing() -> None:
    done = run_tool("bicep", "build", "--stdout", str(AZURE / "main.bicep"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_roles_are_those_of_security_md() -> None:
    given = set().union(*map(granted, FILES))
    assert given == DOCUMENTED
    assert len(given) == sum(len(assignments(file)) for file in FILES)
    assert set(ROLES) == {each.role for each in DOCUMENTED}


def test_each_role_holds_the_actions_that_it_is_given_for() -> None:
    assert ACTIONS
    for (who, on, role), actions in ACTIONS.items():
        assert {short(action) for action in actions} <= GRANTS[role], (who, on)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Storage Table Data Reader", "Storage Table Data Contributor"),
        ("if (acceptWrites) ", ""),
        (
            "scope: exportsContainer\n  name: guid(exportsContainer.id, proxy",
            "scope: storage\n  name: guid(storage.id, proxy",
        ),
    ],
)
def test_other_roles_would_be_found(before: str, after: str) -> None:
    path = AZURE / "modules" / "storage-roles.bicep"
    text = path.read_text(encoding="utf-8")
    assert before in text
    assert not granted(BicepFile(text.replace(before, after), path)) <= DOCUMENTED


@pytest.mark.parametrize(("kind", "path", "wanted"), FIXED, ids=lambda text: text.rpartition(".")[2])
def test_a_resource_is_closed(kind: str, path: str, wanted: str) -> None:
    made = [each for file in FILES for each in file.of_kind("resource").values() if not each.is_existing]
    found = [each for each in made if each.type == kind]
    assert found
    assert all(each.texts(path) == [wanted] * len(each.texts(path)) and each.texts(path) for each in found)


def test_no_file_reads_or_holds_a_secret() -> None:
    for file in FILES:
        assert not SECRETS.findall(text_of(file.root)), file.path.name


def test_azd_finds_the_bicep_files_the_dockerfile_and_the_apps() -> None:
    assert ROOT / AZD["infra"]["path"] / f"{AZD['infra']['module']}.bicep" == MAIN.path
    assert set(AZD["services"]) == set(APPS)
    for name, service in AZD["services"].items():
        assert app(name).texts("tags") == [f"union(tags, {{ 'azd-service-name': '{name}' }})"]
        assert (service["host"], service["apiVersion"]) == ("containerapp", app(name).about.partition("@")[2])
        assert (ROOT / service["project"] / service["docker"]["path"]).is_file()
        assert PARAMETERS[f"{name}Image"] == {"value": f"${{SERVICE_{name.upper()}_IMAGE_NAME}}"}
    assert AZD["workflows"]["up"]["steps"] == [{"azd": "provision"}, {"azd": "deploy --all"}, {"azd": "provision"}]


def test_the_parameters_are_those_of_the_main_file() -> None:
    declared = MAIN.of_kind("param")
    assert {name for name, each in declared.items() if each.given is None} <= set(PARAMETERS) <= set(declared)
    for name, entry in PARAMETERS.items():
        found = re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", entry["value"])
        assert found is not None, name
        default = declared[name].given
        if default is not None:  # the same, whether azd or another tool deploys
            assert (plain(default) if default.type == "string" else text_of(default)) == (found[2] or ""), name


@pytest.mark.parametrize("name", APPS)
def test_an_app_is_given_settings_that_exist(name: str) -> None:
    given = environment(name)
    assert given.keys() <= {variable_name(field) for field in Settings.model_fields} | OF_AZURE
    assert OF_AZURE | {"PROXY_KEYRING_FILE"} <= given.keys()
    mounted = app(name).texts("properties.template.containers.volumeMounts.mountPath")
    files = app(name).texts("properties.template.volumes.secrets.path")
    assert plain(given["PROXY_KEYRING_FILE"]) == f"{mounted[0]}/{files[0]}"
    assert int(app(name).texts("properties.template.terminationGracePeriodSeconds")[0]) >= 15


def test_the_server_is_probed_and_the_worker_fits_its_jobs() -> None:
    port = APPS["proxy"].of_kind("var")["port"].given
    assert port is not None
    assert Settings.model_fields["port"].default == int(text_of(port))
    assert {"/livez", "/readyz"} <= set(app("proxy").texts("properties.template.containers.probes.httpGet.path"))
    assert app("worker").at("properties.configuration.ingress") == []
    (resources,) = app("worker").at("properties.template.containers.resources")
    memory = float((plain(members(resources)["memory"]) or "0").removesuffix("Gi"))
    assert memory * 1024**3 >= worker_needs.MEMORY


def test_storage_has_what_the_code_asks_for() -> None:
    resources = STORAGE.of_kind("resource")
    assert literals(resources["containers"]) == {UPLOADS, VERSIONS, EXPORTS}
    assert literals(resources["tables"]) == {Settings.model_fields["jobs_table"].default, TABLE}
    queue = resources["queue"].texts("name")[0].strip("'")
    longest = int(text_of(STORAGE.of_kind("param")["account"].decorators["maxLength"][0]))
    for account in ("main", "north-west", "a" * longest):
        assert queue.replace("${account}", account) == queue_name("jobs", account)


def test_the_first_key_ring_is_one() -> None:
    vault = BicepFile.read(AZURE / "modules" / "vault.bicep")
    text = text_of(vault.of_kind("var")["accountEntries"].node) + text_of(vault.of_kind("resource")["keyring"].node)
    for member in ("storage", "account_name", "credential", "endpoint_suffix", "accounts", "keys"):
        assert re.search(rf"\b{member}:", text), member
    storage = {"account_name": "stabc", "credential": "default", "endpoint_suffix": "core.windows.net"}
    assert parse_keyring(json.dumps({"accounts": {"main": {"storage": storage}}, "keys": {}})).accounts
