"""`deploy/azure`: roles are those of SECURITY.md, nothing is open, and no secret is anywhere."""

import re

import pytest

from tests.deploy.azure_files import APPS, FILES, KEY_STORE, MODULES, RESOURCES, app
from tests.deploy.bicep_file import AZURE, BicepFile, members, plain, text_of
from tests.deploy.bicep_roles import GRANTS, ROLES, SECURITY, assignments, documented_roles, granted, short

DOCUMENTED, ACTIONS = documented_roles(SECURITY.read_text(encoding="utf-8"))

ACCOUNTS = "Microsoft.Storage/storageAccounts"
ROLE = "Microsoft.Authorization/roleAssignments"

# A resource's type, a path in it, and the only text that may stand there.
FIXED = [
    (ACCOUNTS, "properties.allowBlobPublicAccess", "false"),
    (ACCOUNTS, "properties.allowSharedKeyAccess", "false"),
    (ACCOUNTS, "properties.minimumTlsVersion", "TLS1_2"),
    (ACCOUNTS, "properties.supportsHttpsTrafficOnly", "true"),
    (f"{ACCOUNTS}/blobServices", "properties.deleteRetentionPolicy.enabled", "true"),
    (f"{ACCOUNTS}/blobServices/containers", "properties.publicAccess", "None"),
    ("Microsoft.ContainerRegistry/registries", "properties.adminUserEnabled", "false"),
    ("Microsoft.Maps/accounts", "properties.disableLocalAuth", "true"),
    ("Microsoft.App/containerApps", "identity.type", "UserAssigned"),
]
# Functions that return a key, members that hold one, and what marks a parameter as one.
SECRETS = re.compile(
    r"\b(list\w*Keys?|listCredentials|list\w*Sas|getSecret|sharedKey|connectionString|secretRef|secure\w*)\b"
)


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


def test_the_worker_may_do_nothing_with_keys() -> None:
    assert {each.who for each in granted(KEY_STORE)} == {"serve", "operator", "console", "console with changes"}
    (used,) = [each for each in RESOURCES.of_kind("module").values() if each.about == "modules/key-store.bicep"]
    assert "worker" not in text_of(used.node)


def test_without_a_console_its_identity_may_do_nothing_and_one_that_shows_only_gets_reader_roles() -> None:
    console = [
        (file.path.stem, each, text_of(each.node).partition("{")[0])
        for file in FILES
        for each in assignments(file)
        if each.texts("properties.principalId") == ["consolePrincipalId"]
    ]
    # What is not behind makesConsole is in a module that only a console's accounts have.
    assert {stem for stem, _, head in console if "makesConsole" not in head} == {"console-roles"}
    assert "for item in consoleAccounts:" in text_of(RESOURCES.of_kind("module")["consoleRoles"].node)
    assert text_of(RESOURCES.of_kind("var")["consoleAccounts"].node).endswith("= makesConsole ? accounts : []")
    for _, each, head in console:
        (role,) = each.texts("properties.roleDefinitionId")
        assert ("Contributor" in role) == ("consoleChanges" in head), each.name
    assert text_of(RESOURCES.of_kind("var")["consoleChanges"].node).endswith("= !(consoleSignIn.?readOnly ?? true)")


@pytest.mark.parametrize(("kind", "path", "wanted"), FIXED, ids=lambda text: text.rpartition(".")[2])
def test_a_resource_is_closed(kind: str, path: str, wanted: str) -> None:
    made = [each for file in FILES for each in file.of_kind("resource").values() if not each.is_existing]
    found = [each for each in made if each.type == kind]
    assert found
    assert all(each.texts(path) == [wanted] * len(each.texts(path)) and each.texts(path) for each in found)


def test_no_file_reads_or_holds_a_secret() -> None:
    for file in FILES:
        assert not SECRETS.findall(re.sub(r"//.*", "", text_of(file.root))), file.path.name
        assert not [each.name for each in file.declarations if "secure" in each.decorators]
    made = [each for file in FILES for each in file.of_kind("resource").values() if not each.is_existing]
    assert not [each.name for each in made if each.type.startswith("Microsoft.KeyVault/")]
    for name in APPS:
        assert app(name).at("properties.configuration.secrets") == app(name).at("properties.template.volumes") == []


@pytest.mark.parametrize("text", ["storage.listKeys()", "@secure()\nparam a string", "kv.getSecret('a')"])
def test_a_secret_would_be_found(text: str) -> None:
    assert SECRETS.search(text)


def test_the_key_store_is_locked_and_logs_changes_only() -> None:
    resources = KEY_STORE.of_kind("resource")
    (lock,) = [each for each in resources.values() if each.type == "Microsoft.Authorization/locks"]
    assert (lock.texts("scope"), lock.texts("properties.level")) == (["storage"], ["CanNotDelete"])
    assert resources["storage"].type == ACCOUNTS
    logged = {
        plain(members(each)["category"]): text_of(members(each)["enabled"])
        for each in resources["tableLogs"].at("properties.logs")
    }
    assert logged == {"StorageRead": "false", "StorageWrite": "true", "StorageDelete": "true"}


def test_other_resource_groups_get_roles_and_what_is_missing_and_are_never_resources() -> None:
    """A group that a deployment has as a resource goes with `azd down`."""
    groups = [
        (each.name, each.is_existing)
        for file in FILES
        for each in file.of_kind("resource").values()
        if each.type == "Microsoft.Resources/resourceGroups"
    ]
    assert groups == [("group", False)]
    elsewhere = {
        each.about.removeprefix("modules/").removesuffix(".bicep")
        for each in RESOURCES.of_kind("module").values()
        if each.texts("scope")
    }
    assert elsewhere == {"existing-storage", "storage-roles", "console-roles", "certificate-role"}
    for module in elsewhere:
        made = [each for each in MODULES[module].of_kind("resource").values() if not each.is_existing]
        assert made
        assert all(each.type == ROLE or "onlyIfNotExists" in each.decorators for each in made)
