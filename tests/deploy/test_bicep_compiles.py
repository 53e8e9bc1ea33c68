"""The Bicep files of deploy/azure as a compiler would judge them; and broken ones, to see that it is noticed."""

import json
from pathlib import Path

import pytest

from tests.deploy.bicep_file import AZURE, BicepFile, all_files, plain, text_of, walk
from tests.deploy.bicep_names import modules, names, syntax
from tests.deploy.bicep_reads import reads
from tests.deploy.bicep_shapes import MODELS, TABLE, shapes, versions

# Microsoft's models know a newer version of the API than the files name. These properties were looked up in the types
# that the compiler has of 2025-01-01. Look up what is added.
KNOWN = set(json.loads((AZURE.parents[1] / "tests" / "deploy" / "app_properties.json").read_text(encoding="utf-8")))
# Names that are free: keys of tags and of a scale rule's metadata; and Bicep's own.
FREE = {"azd-service-name", "concurrentRequests", "parent"}

FILES = all_files()
MAIN = (AZURE / "main.bicep").read_text(encoding="utf-8")
PROXY = AZURE / "modules" / "proxy.bicep"
STORAGE = AZURE / "modules" / "storage.bicep"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path.name)
def test_a_file_has_no_mistake(file: BicepFile) -> None:
    assert [*syntax(file), *names(file), *modules(file), *reads(file), *versions(file), *shapes(file)] == []


def test_every_file_is_used_and_every_type_known_is_too() -> None:
    called = {module.about for module in FILES[0].of_kind("module").values()}
    assert {f"modules/{file.path.name}" for file in FILES[1:]} == called
    made = {each.type for file in FILES for each in file.of_kind("resource").values()}
    assert made == {*MODELS, *TABLE, "Microsoft.Authorization/roleAssignments"}


def test_apps_have_only_what_their_version_of_the_api_knows() -> None:
    made = [each for file in FILES for each in file.of_kind("resource").values()]
    apps = [each for each in made if each.type.startswith("Microsoft.App/") and not each.is_existing]
    assert {each.about.partition("@")[2] for each in apps} == {"2025-01-01"}
    named = {
        plain(node.named_children[0]) or text_of(node.named_children[0])
        for each in apps
        for node in walk(each.node)
        if node.type == "object_property"
    }
    assert {name for name in named if "${" not in name} - FREE == KNOWN


def broken(text: str, path: Path = AZURE / "main.bicep") -> list[str]:
    """All that is found in a text, without where."""
    file = BicepFile(text, path)
    found = [*syntax(file), *names(file), *modules(file), *versions(file), *shapes(file)]
    return [told.split(": ", 1)[1] for told in found]


def test_broken_syntax_is_found() -> None:
    assert broken("param a string =\nvar b = a\noutput c string = b")
    assert any("no Bicep" in told for told in broken(MAIN.replace("sku: registrySku", "sku registrySku")))
    assert any("no Bicep" in told for told in broken(MAIN[:-3]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("output a string = b", "b is not declared"),
        ("output a string = '${b}'", "b is not declared"),
        ("output a array = [for b in ['c']: d]", "d is not declared"),
        ("output a array = map(['c'], b => e)", "e is not declared"),
        ("output a object = { '${b}': 1 }", "b is not declared"),
        ("param a string", "a is not used"),
        ("var a = 1", "a is not used"),
        ("param a string\nvar a = 1\noutput b string = a", "a is declared twice"),
        ("output a string = toUper('b')", "unknown function toUper"),
        ("output a string = guid()", "guid takes no 0 arguments"),
        ("@maxLenght(3)\nparam a string\noutput b string = a", "unknown decorator maxLenght"),
        ("module a 'modules/none.bicep' = {\n  params: {}\n}", "there is no modules/none.bicep"),
    ],
)
def test_a_name_that_means_nothing_is_found(text: str, told: str) -> None:
    assert broken(text) == [told]


@pytest.mark.parametrize(
    "text",
    [
        "output a array = [for (b, c) in ['d']: '${b}${c}']",
        "output a array = map(filter(['b'], c => !empty(c)), c => { c: c })",
        "param a string\noutput b object = { a: a, 'c d': a }",
    ],
)
def test_a_name_of_a_loop_or_a_lambda_is_none_of_the_file(text: str) -> None:
    assert broken(text) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("days: logDays }", "days: logDays, more: 1 }", "modules/logs.bicep has no parameter more"),
        ("tags: tags, days: logDays }", "days: logDays }", "modules/logs.bicep needs tags"),
        ("logs.outputs.workspaceId\n    }", "logs.outputs.workspace\n    }", "logs has no output workspace"),
        (
            "storage[index].outputs.queueName\n      acc",
            "storage[index].outputs.name\n      acc",
            "storage has no output name",
        ),
    ],
)
def test_a_module_called_wrongly_is_found(before: str, after: str, told: str) -> None:
    assert before in MAIN
    assert set(broken(MAIN.replace(before, after))) == {told}


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        (PROXY, "allowInsecure:", "allowUnsafe:", "proxy: Ingress has no allowUnsafe"),
        (PROXY, "failureThreshold: 10", "failures: 10", "proxy: ContainerAppProbe has no failures"),
        (PROXY, "failureThreshold: 10", "failureThreshold: 11", "ContainerAppProbe's failureThreshold must be 1 to 10"),
        (PROXY, "type: 'Startup'", "type: 'Start'", "proxy: ContainerAppProbe's type can't be Start"),
        (PROXY, "maxReplicas: maxReplicas", "maximum: maxReplicas", "proxy: Scale has no maximum"),
        (PROXY, "external: true", "fqdn: 'x'\n        external: true", "proxy: Ingress's fqdn can't be set"),
        (STORAGE, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS12'", "can't be TLS12"),
        (STORAGE, "action: 'Allow', value", "action: 'Allow', valve", "storage: IPRule has no valve"),
        (
            STORAGE,
            "{ category: 'StorageRead', enabled",
            "{ kategory: 'StorageRead', enabled",
            "blobLogs: has no kategory",
        ),
        (
            STORAGE,
            "@2025-01-01' = {\n  name: 'st",
            "@2025-01' = {\n  name: 'st",
            "Microsoft.Storage/storageAccounts@2025-01 has no",
        ),
        (STORAGE, "queues@2025-01-01", "queues@2019-06-01", "queues@2019-06-01 is no version that was looked at"),
        (
            STORAGE,
            "storageAccounts/queueServices/queues@",
            "storageAccounts/queues@",
            "nothing is known of Microsoft.Storage",
        ),
    ],
)
def test_a_property_that_a_resource_does_not_have_is_found(path: Path, before: str, after: str, told: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    assert told in " ".join(broken(text.replace(before, after, 1), path))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("environment", "environment.properties.staticIp", "environment.properties.staticIP"),
        ("environment", "environment.id", "environment.resourceId"),
        ("proxy", "configuration.ingress.fqdn", "configuration.fqdn"),
        ("proxy", "proxy.properties.customDomainVerificationId", "proxy.customDomainVerificationId"),
        ("vault", "vault.properties.vaultUri", "vault.properties.uri"),
        ("network", "subnets[0].id", "subnets[0].key"),
    ],
)
def test_what_is_read_and_is_not_there_is_found(name: str, before: str, after: str) -> None:
    path = AZURE / "modules" / f"{name}.bicep"
    text = path.read_text(encoding="utf-8")
    assert before in text
    (told,) = reads(BicepFile(text.replace(before, after), path))
    assert told.endswith("is not there")


def test_a_member_that_an_output_lacks_is_found() -> None:
    changed = MAIN.replace("identities.outputs.proxy.principalId", "identities.outputs.proxy.objectId")
    assert reads(BicepFile(changed, AZURE / "main.bicep")) == [
        "main.bicep: identities.outputs.proxy.objectId is not there"
    ]


def test_a_property_of_a_role_assignment_is_looked_at_too() -> None:
    path = AZURE / "modules" / "storage-roles.bicep"
    text = path.read_text(encoding="utf-8").replace("principalType:", "principalKind:", 1)
    assert broken(text, path) == ["proxyReadsJobs: has no principalKind"]
    text = path.read_text(encoding="utf-8").replace("  name: storageName\n", "  name: storageName\n  kind: 'x'\n")
    assert broken(text, path) == ["storage: kind can't be said"]
