"""What azd brings together: azure.yaml, the parameters and outputs, the apps' settings, and the code's own names."""

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
from proxy.settings import Settings, variable
from tests.deploy.bicep_file import AZURE, BicepFile, Declaration, members, plain, text_of, walk

ROOT = AZURE.parents[1]
AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
PARAMETERS: dict[str, Any] = json.loads((AZURE / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
MAIN = BicepFile.read(AZURE / "main.bicep")
APPS = {name: BicepFile.read(AZURE / "modules" / f"{name}.bicep") for name in ("proxy", "worker")}
STORAGE = BicepFile.read(AZURE / "modules" / "storage.bicep")
VAULT = BicepFile.read(AZURE / "modules" / "vault.bicep")

OF_AZURE = {"AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"}
SETTINGS = {variable(name) for name in Settings.model_fields}


def app(name: str) -> Declaration:
    return APPS[name].of_kind("resource")[name]


def environment(name: str) -> dict[str, Node]:
    """The settings that an app's file gives it."""
    given = APPS[name].of_kind("var")["ownSettings"].given
    assert given is not None
    entries = [members(entry) for entry in given.named_children]
    return {plain(entry["name"]) or "": entry["value"] for entry in entries}


def literals(declared: Declaration) -> list[str]:
    """The texts of the list that a loop goes through."""
    loop = next(node for node in walk(declared.node) if node.type == "for_statement")
    return [plain(item) or "" for item in loop.named_children[1].named_children]


def test_azd_finds_the_bicep_files_the_dockerfile_and_the_apps() -> None:
    infra = AZD["infra"]
    assert ROOT / infra["path"] / f"{infra['module']}.bicep" == MAIN.path
    assert set(AZD["services"]) == set(APPS)
    for name, service in AZD["services"].items():
        assert app(name).texts("tags") == [f"union(tags, {{ 'azd-service-name': '{name}' }})"]
        assert service["host"] == "containerapp"
        # As a text: YAML would make a date of it.
        assert service["apiVersion"] == app(name).about.partition("@")[2]
        assert (ROOT / service["project"] / service["docker"]["path"]).is_file()
        assert (ROOT / service["project"] / service["docker"]["context"]).resolve() == ROOT
    assert text_of(MAIN.of_kind("var")["tags"].node).endswith("{ 'azd-env-name': environmentName }")


def test_the_readme_names_the_azd_that_it_takes() -> None:
    wanted = AZD["requiredVersions"]["azd"].removeprefix(">= ")
    assert f"With `azd` {wanted} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_one_command_provisions_again_when_there_is_an_image() -> None:
    assert AZD["workflows"]["up"]["steps"] == [{"azd": "provision"}, {"azd": "deploy --all"}, {"azd": "provision"}]
    for name in APPS:
        assert PARAMETERS[f"{name}Image"] == {"value": f"${{SERVICE_{name.upper()}_IMAGE_NAME}}"}


def test_the_parameters_are_those_of_the_main_file() -> None:
    declared = MAIN.of_kind("param")
    assert set(PARAMETERS) <= set(declared)
    assert {name for name, each in declared.items() if each.given is None} <= set(PARAMETERS)
    for name, entry in PARAMETERS.items():
        found = re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", entry["value"])
        assert found is not None, name
        default = declared[name].given
        if default is not None:  # the same, whether azd or somebody else deploys
            assert (plain(default) if default.type == "string" else text_of(default)) == (found[2] or ""), name


def test_what_azd_must_remember_is_an_output() -> None:
    outputs = MAIN.of_kind("output")
    assert {"AZURE_CONTAINER_REGISTRY_ENDPOINT", "AZURE_RESOURCE_GROUP"} <= set(outputs)
    kept = outputs["PROXY_KEYRING_EXISTS"].given
    assert kept is not None
    assert text_of(kept) == "true"
    assert PARAMETERS["keyringExists"] == {"value": "${PROXY_KEYRING_EXISTS=false}"}
    # Who provisions elsewhere without these puts the sample in the proxy's place.
    for name in APPS:
        image = outputs[f"SERVICE_{name.upper()}_IMAGE_NAME"].given
        assert image is not None
        assert text_of(image) == f"{name}Image"


@pytest.mark.parametrize("name", APPS)
def test_an_app_is_given_settings_that_there_are(name: str) -> None:
    given = environment(name)
    assert given.keys() <= SETTINGS | OF_AZURE
    assert OF_AZURE | {"PROXY_KEYRING_FILE"} <= given.keys()
    mounted = app(name).texts("properties.template.containers.volumeMounts.mountPath")
    files = app(name).texts("properties.template.volumes.secrets.path")
    assert plain(given["PROXY_KEYRING_FILE"]) == f"{mounted[0]}/{files[0]}"
    assert app(name).texts("properties.configuration.secrets.name") == app(name).texts(
        "properties.template.volumes.secrets.secretRef"
    )


def test_the_ports_are_those_of_the_image() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    port = APPS["proxy"].of_kind("var")["port"].given
    assert port is not None
    assert f"EXPOSE {text_of(port)}" in dockerfile
    assert Settings.model_fields["port"].default == int(text_of(port))
    assert app("worker").at("properties.configuration.ingress") == []
    assert 'CMD ["serve"]' in dockerfile
    # With no condition: azd deploy exchanges the image and leaves the arguments as they are.
    (container,) = app("worker").at("properties.template.containers")
    assert text_of(members(container)["args"]) == "['worker']"


def test_storage_has_what_the_code_asks_for() -> None:
    resources = STORAGE.of_kind("resource")
    assert set(literals(resources["containers"])) == {UPLOADS, VERSIONS, EXPORTS}
    assert set(literals(resources["tables"])) == {Settings.model_fields["jobs_table"].default, TABLE}
    queue = resources["queue"].texts("name")[0].strip("'")
    longest = text_of(STORAGE.of_kind("param")["account"].decorators["maxLength"][0])
    for account in ("main", "north-west", "a" * int(longest)):
        assert queue.replace("${account}", account) == queue_name("jobs", account)
    assert queue.replace("${account}", "a" * (int(longest) + 1)) != queue_name("jobs", "a" * (int(longest) + 1))


def test_the_first_key_ring_is_one() -> None:
    """It is made by Bicep's own functions, so the names of its members are what can be compared."""
    text = text_of(VAULT.of_kind("var")["accountEntries"].node) + text_of(VAULT.of_kind("resource")["keyring"].node)
    for member in ("storage", "account_name", "credential", "endpoint_suffix", "accounts", "keys"):
        assert re.search(rf"\b{member}:", text), member
    storage = {"account_name": "stabc", "credential": "default", "endpoint_suffix": "core.windows.net"}
    assert parse_keyring(json.dumps({"accounts": {"main": {"storage": storage}}, "keys": {}})).accounts
