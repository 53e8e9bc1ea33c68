"""The identities get the roles that SECURITY.md names, and no others."""

import pytest

from tests.deploy.bicep_file import AZURE, BicepFile, all_files
from tests.deploy.bicep_roles import GRANTS, ROLES, SECURITY, Granted, assignments, granted, short, told

SAID, ACTIONS = told(SECURITY.read_text(encoding="utf-8"))
ROLES_FILE = AZURE / "modules" / "storage-roles.bicep"
TEXT = ROLES_FILE.read_text(encoding="utf-8")


def test_the_roles_are_those_of_security_md() -> None:
    given = set().union(*map(granted, all_files()))
    assert given == SAID
    assert len(given) == sum(len(assignments(file)) for file in all_files())


def test_each_role_holds_the_actions_that_it_is_given_for() -> None:
    assert ACTIONS
    for (who, on, role), actions in ACTIONS.items():
        assert {short(action) for action in actions} <= GRANTS[role], (who, on)


def test_roles_have_the_ids_of_the_built_in_ones() -> None:
    assert len(set(ROLES.values())) == len(ROLES)
    assert set(ROLES) == {each.role for each in SAID}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Storage Table Data Reader", "Storage Table Data Contributor"),
        (
            "  scope: exportsContainer\n  name: guid(exportsContainer.id, proxy",
            "  scope: storage\n  name: guid(storage.id, proxy",
        ),
        ("if (acceptWrites) ", ""),
        ("description: 'job rows'", "description: 'whatever'"),
    ],
)
def test_other_roles_would_be_found(before: str, after: str) -> None:
    assert before in TEXT
    changed = granted(BicepFile(TEXT.replace(before, after), ROLES_FILE))
    assert not changed <= SAID


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (
            "roleDefinitions', roles['Storage Blob Delegator']",
            "roleDefinitions', roles['Owner']",
            "no role of roles.json",
        ),
        ("guid(jobsQueue.id, workerPrincipalId", "guid(storage.id, workerPrincipalId", "its name must be"),
        ("principalType: 'ServicePrincipal'", "principalType: 'User'", "is a ServicePrincipal"),
        ("principalId: workerPrincipalId", "principalId: storageName", "its name must be"),
        ("    description: 'job rows'\n", "", "nobody knows what for"),
    ],
)
def test_an_odd_assignment_is_told(before: str, after: str, what: str) -> None:
    assert before in TEXT
    with pytest.raises(ValueError, match=what):
        granted(BicepFile(TEXT.replace(before, after), ROLES_FILE))


def test_who_and_what_stand_in_the_table() -> None:
    assert Granted("Storage Blob Delegator", "account", "serve", "keys that sign links") in SAID
    assert {each.who for each in SAID} == {"serve", "serve with writes", "worker", "environment"}
