"""The identities get the roles that SECURITY.md names, and no others."""

import pytest

from tests.deploy.bicep_file import AZURE, BicepFile, all_files
from tests.deploy.bicep_roles import GRANTS, ROLES, SECURITY, Granted, assignments, granted, short, told

# As Microsoft's list of built-in roles has them. Once more than in roles.json, for one wrong digit gives nothing, or
# something else.
IDS = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Blob Delegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Queue Data Reader": "19e7f393-937e-4f77-808e-94535e297925",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Storage Table Data Reader": "76199698-9eea-4c19-bc75-cec21354c6b6",
}

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
    assert ROLES == IDS
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
