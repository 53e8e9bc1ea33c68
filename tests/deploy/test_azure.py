"""`deploy/azure`: what no compiler knows, for it ties the files to the program and to azd."""

import json
import re
import subprocess

import pytest
from tree_sitter import Node

from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.credentials.config import IdentityConfig
from adapters.job_queue import queue_name
from adapters.tables.audit_rows import TABLE as AUDIT_TABLE
from adapters.tables.data_source_store import TABLE
from adapters.tables.usage_store import TABLE as USAGE_TABLE
from proxy.keyring.file import parse_keyring
from proxy.settings import Settings, load_settings, variable_name
from tests.deploy import console_needs, server_needs, worker_needs
from tests.deploy.azure_files import (
    APPS,
    AZD,
    KEY_STORE,
    KEYRING,
    MAIN,
    MODULES,
    PARAMETERS,
    PUSHED,
    RESOURCES,
    app,
    environment,
    value_of,
)
from tests.deploy.bicep_file import AZURE, Declaration, alternatives, members, plain, text_of, walk
from tests.deploy.bicep_roles import assignments
from tests.deploy.tools import ROOT
from tests.docs.pages import code, read, table

# Variables that azd sets itself.
OF_AZD = re.compile("AZURE_(ENV_NAME|LOCATION|PRINCIPAL_ID|PRINCIPAL_TYPE)$|SERVICE_")
OF_AZURE = {"AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"}
GUID = "00000000-0000-0000-0000-000000000001"
# What Container Apps give to a replica.
DISK_OF_ONE_CORE = 4 * 1024**3


def literals(declared: Declaration) -> set[str]:
    """The texts of the list that a loop goes through."""
    loop = next(node for node in walk(declared.node) if node.type == "for_statement")
    return {plain(item) or "" for item in loop.named_children[1].named_children}


def sizes(name: str) -> list[tuple[float, float]]:
    """Processors and bytes of memory of an app; of the server first where it answers queries."""
    given = map(members, app(name).at("properties.template.containers.resources"))
    texts = [(text_of(each["cpu"]), plain(each["memory"]) or "") for each in given]
    return [(float(cpu[6:-2]), float(memory.removesuffix("Gi")) * 1024**3) for cpu, memory in texts]


def test_azd_finds_the_bicep_files_the_dockerfile_and_the_apps() -> None:
    assert ROOT / AZD["infra"]["path"] / f"{AZD['infra']['module']}.bicep" == MAIN.path
    assert set(AZD["services"]) == set(PUSHED)
    for name, service in AZD["services"].items():
        assert app(name).texts("tags") == [f"union(tags, {{ 'azd-service-name': '{name}' }})"]
        assert (service["host"], service["apiVersion"]) == ("containerapp", app(name).about.partition("@")[2])
        assert (ROOT / service["project"] / service["docker"]["path"]).is_file()
        assert PARAMETERS[f"{name}Image"] == {"value": f"${{SERVICE_{name.upper()}_IMAGE_NAME}}"}
    assert AZD["workflows"]["up"]["steps"] == [{"azd": "provision"}, {"azd": "deploy --all"}, {"azd": "provision"}]


def test_after_azd_up_the_first_key_is_a_matter_of_three_lines() -> None:
    hooks = {system: ROOT / hook["run"] for system, hook in AZD["hooks"]["postup"].items()}
    given = {"PROXY_PUBLIC_URL": "https://a.example", "PROXY_ACCOUNTS": "archive=stdata@rg-data,main"}
    done = subprocess.run(["sh", hooks["posix"]], env=given, capture_output=True, text=True, timeout=10, check=True)
    assert 'export PROXY_KEYRING="$(azd env get-value PROXY_KEYRING)"' in done.stdout
    assert "spatial-data-proxy keys add --account archive --generate --wait" in done.stdout
    assert 'curl "https://a.example/REST/v1/Dataflows/ListJobs?key=$key"' in done.stdout
    commands = [re.findall(r"keys add[^)\n]*--wait", path.read_text(encoding="utf-8")) for path in hooks.values()]
    assert commands[0] == commands[1]
    assert "keys add --account contoso --generate --wait" in read("docs/deployment/azure.md")  # parsed there by a test
    assert AZD["hooks"]["postup"].keys() == {"posix", "windows"}


def test_the_parameters_are_those_of_the_main_file() -> None:
    declared = MAIN.of_kind("param")
    assert {name for name, each in declared.items() if each.given is None} <= set(PARAMETERS) <= set(declared)
    for name, entry in PARAMETERS.items():
        found = re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", entry["value"])
        assert found is not None, name
        default = declared[name].given
        if default is not None:  # the same, whether azd or another tool deploys
            assert (plain(default) if default.type == "string" else text_of(default)) == (found[2] or ""), name


def test_the_guide_names_what_azd_lets_one_set() -> None:
    rows = table(read("docs/deployment/azure.md"), "`azd env set`")
    found = {match for entry in PARAMETERS.values() for match in re.findall(r"\$\{([A-Z_]+)", entry["value"])}
    assert {name for row in rows for name in code(row[0])} == {each for each in found if not OF_AZD.match(each)}


def test_a_linter_rule_that_is_off_has_its_reason_beside_it() -> None:
    lines = (AZURE / "bicepconfig.json").read_text(encoding="utf-8").splitlines()
    off = [number for number, line in enumerate(lines) if '"off"' in line]
    assert off
    assert all(lines[number - 1].strip().startswith("// Off: ") for number in off)


@pytest.mark.parametrize("name", APPS)
def test_an_app_is_given_settings_that_exist(name: str) -> None:
    given = environment(name)
    assert given.keys() <= {variable_name(field) for field in Settings.model_fields} | OF_AZURE
    assert OF_AZURE | {"PROXY_KEYRING"} <= given.keys()
    assert int(app(name).texts("properties.template.terminationGracePeriodSeconds")[0]) >= 15


def test_the_apps_fit_what_they_do_and_the_server_is_probed() -> None:
    port = MODULES["proxy"].of_kind("var")["port"].given
    assert port is not None
    assert Settings.model_fields["port"].default == int(text_of(port))
    assert {"/livez", "/readyz"} <= set(app("proxy").texts("properties.template.containers.probes.httpGet.path"))
    assert app("worker").at("properties.configuration.ingress") == []
    (server, (_, without_queries)), (worker,), (console,) = map(sizes, APPS)
    for (cores, memory), needs in ((server, server_needs), (worker, worker_needs), (console, console_needs)):
        assert memory >= needs.MEMORY
        assert cores == 1
        assert needs.DISK <= DISK_OF_ONE_CORE
    assert without_queries < server[1]


def test_without_usage_nobody_may_write_its_table() -> None:
    grants = [each for each in assignments(MODULES["storage-roles"]) if each.texts("scope") == ["usageTable"]]
    assert len(grants) == 2
    assert all("keepsUsage) {" in text_of(each.node) for each in grants)
    off = text_of(RESOURCES.of_kind("var")["usageOff"].node)
    assert "each.name == 'PROXY_USAGE' && toLower(each.value) == 'off'" in off
    assert "empty(usageOff)" in text_of(RESOURCES.of_kind("var")["keepsUsage"].node)
    assert load_settings(keyring="{}", usage="OFF").usage == "off"


def test_without_queries_the_server_may_not_read_versions() -> None:
    (grant,) = (
        each
        for each in assignments(MODULES["storage-roles"])
        if each.texts("scope") == ["datasourcesContainer"]
        and each.texts("properties.principalId") == ["proxyPrincipalId"]
    )
    assert "= if (answersQueries) {" in text_of(grant.node)
    assert "each.name == 'PROXY_QUERIES'" in text_of(RESOURCES.of_kind("var")["queriesOff"].node)
    assert "empty(queriesOff)" in text_of(RESOURCES.of_kind("var")["answersQueries"].node)
    no = RESOURCES.of_kind("var")["no"].given
    assert no is not None
    for text in map(plain, no.named_children):
        assert not load_settings(keyring="{}", queries=text).queries
    users = [each.about for each in RESOURCES.of_kind("module").values() if each.texts("params.answersQueries")]
    assert sorted(users) == ["modules/maps.bicep", "modules/proxy.bicep", "modules/storage-roles.bicep"]


@pytest.mark.parametrize("module", ["storage", "existing-storage"])
def test_storage_has_what_the_code_asks_for(module: str) -> None:
    resources = MODULES[module].of_kind("resource")
    assert literals(resources["containers"]) == {UPLOADS, VERSIONS, EXPORTS}
    tables = {Settings.model_fields["jobs_table"].default, TABLE, USAGE_TABLE, AUDIT_TABLE}
    assert literals(resources["tables"]) == tables
    assert resources["queue"].texts("name") == ["queueName"]


def test_queues_and_the_table_of_keys_have_the_names_that_the_code_gives_them() -> None:
    (prefix,) = re.findall(r"  queue: '([a-z-]+)\$\{parts\[0\]\}'", text_of(MAIN.root))
    (longest,) = re.findall(r"isAccountName.*hasLength\(name, 1, (\d+)\)", (AZURE / "checks.bicep").read_text("utf-8"))
    for account in ("main", "north-west", "a" * int(longest)):
        assert prefix + account == queue_name(Settings.model_fields["jobs_table"].default, account)
    assert KEY_STORE.of_kind("resource")["keysTable"].texts("name") == [Settings.model_fields["keys_table"].default]


def test_the_key_ring_is_one_and_holds_no_secret() -> None:
    ring = KEYRING.of_kind("var")["keyring"].node
    found = {plain(each.named_children[0]) or text_of(each.named_children[0]): each for each in properties(ring)}
    storage, key_store = (entry(found[name].named_children[-1]) for name in ("storage", "key_store"))
    without, maps = map(entry, alternatives(value_of(KEYRING.of_kind("var")["maps"])))
    assert text_of(found["maps"].named_children[-1]) == "maps"
    assert (without, maps) == ({}, {"client_id": GUID, "credential": "default"})
    accounts = {"main": {"storage": storage, "maps": None}, "north-west": {"storage": storage, "maps": maps}}
    parsed = parse_keyring(json.dumps({"accounts": accounts, "key_store": key_store}))
    assert all(isinstance(each, IdentityConfig) for each in (*parsed.accounts.values(), parsed.key_store))
    assert {name: each.client_id for name, each in parsed.maps.items()} == {"north-west": GUID}
    assert text_of(KEYRING.of_kind("output")["text"].node).endswith("= string(keyring)")


def test_the_ring_of_the_apps_and_of_operators_is_the_one_with_azure_maps() -> None:
    used = {name: each.texts("params.keyring") for name, each in RESOURCES.of_kind("module").items()}
    assert {name for name, texts in used.items() if texts == ["keyring.outputs.text"]} == {*APPS}
    assert text_of(value_of(RESOURCES.of_kind("output")["keyring"])) == "keyring.outputs.text"
    assert text_of(value_of(MAIN.of_kind("output")["PROXY_KEYRING"])) == "resources.outputs.keyring"
    assert "\n    mapsClientId: makesMaps ? maps!.outputs.clientId : ''\n" in text_of(RESOURCES.root)
    assert text_of(value_of(MODULES["maps"].of_kind("output")["clientId"])) == "maps.properties.uniqueId"


def test_an_azure_maps_account_is_made_only_where_it_is_asked_for() -> None:
    """It costs."""
    assert PARAMETERS["maps"] == {"value": "${PROXY_MAPS=false}"}
    assert MAIN.of_kind("module")["resources"].texts("params.makesMaps") == ["maps"]
    module = RESOURCES.of_kind("module")["maps"]
    assert "'modules/maps.bicep' = if (makesMaps) {" in text_of(module.node)
    made = MODULES["maps"].of_kind("resource")
    assert made["maps"].texts("kind") + made["maps"].texts("sku.name") == ["Gen2", "G2"]
    conditions = [text_of(each.node).partition(" = ")[2].partition(" {")[0] for each in assignments(MODULES["maps"])]
    assert conditions == ["if (answersQueries)", "if (acceptWrites)"]  # those who ask it


def test_the_guide_names_the_identities_and_the_account_as_the_files_do() -> None:
    guide = read("docs/deployment/azure.md")
    assert "'id-proxy-${token}'" in text_of(MODULES["identities"].root)
    assert "'id-worker-${token}'" in text_of(MODULES["identities"].root)
    assert "'maps-${token}'" in text_of(MODULES["maps"].root)
    assert "'proxy-${token}'" in text_of(RESOURCES.root)  # the first part of PROXY_HOST_NAME
    assert guide.count('-${proxy#proxy-}"') == guide.count('"id-$name-${') + guide.count('"maps-${') == 2


def properties(node: Node) -> list[Node]:
    return [each for each in walk(node) if each.type == "object_property"]


def entry(node: Node) -> dict[str, str]:
    """An entry of the ring, with texts in place of expressions; empty for null."""
    texts = {"account_name": "stabc", "endpoint_suffix": "core.windows.net", "client_id": GUID}
    return {name: plain(value) or texts[name] for name, value in members(node).items()}
