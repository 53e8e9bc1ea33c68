"""Who is given which role, on what and what for, as the Bicep files say it and as SECURITY.md says it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.bicep_file import AZURE, BicepFile, Declaration, plain, text_of

ROLES: dict[str, str] = json.loads((AZURE / "roles.json").read_text(encoding="utf-8"))
SECURITY = Path(__file__).parents[2] / "SECURITY.md"

WHO = {
    "proxyPrincipalId": "serve",
    "workerPrincipalId": "worker",
    "consolePrincipalId": "console",
    "environmentPrincipalId": "environment",
    "operator.id": "operator",
}

# An identity that has more roles on a condition, and what it is called then.
MORE = (("serve", "acceptWrites", "serve with writes"), ("console", "consoleChanges", "console with changes"))

# What an identity is. Of an operator azd may say so; without it Azure looks.
PRINCIPAL_TYPE = {"operator": "operator.?kind"}

# A scope's type, and what SECURITY.md calls it; with `{}`, its name goes there.
ON = {
    "Microsoft.ContainerRegistry/registries": "registry",
    "Microsoft.KeyVault/vaults/secrets": "secret {}",
    "Microsoft.Maps/accounts": "Azure Maps account",
    "Microsoft.Storage/storageAccounts": "account",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "container {}",
    "Microsoft.Storage/storageAccounts/queueServices/queues": "queue",
    "Microsoft.Storage/storageAccounts/tableServices/tables": "table {}",
}

# What the built-in roles may do, of what is asked for; as Microsoft's reference has it.
GRANTS = {
    "AcrPull": {"pull/read"},
    "Azure Maps Data Reader": {"*/read"},
    "Key Vault Secrets User": {"secrets/getSecret/action"},
    "Storage Table Data Reader": {"entities/read"},
    "Storage Table Data Contributor": {
        "entities/read",
        "entities/add/action",
        "entities/update/action",
        "entities/delete",
    },
    "Storage Blob Data Reader": {"blobs/read"},
    "Storage Blob Data Contributor": {"blobs/read", "blobs/write", "blobs/delete"},
    "Storage Blob Delegator": {"blobServices/generateUserDelegationKey/action"},
    "Storage Queue Data Message Sender": {"messages/add/action"},
    "Storage Queue Data Reader": {"queues/read"},
    "Storage Queue Data Contributor": {"messages/process/action", "messages/write", "messages/delete", "queues/read"},
}


@dataclass(frozen=True)
class Granted:
    """One role assignment."""

    role: str
    on: str
    who: str
    why: str


def granted(file: BicepFile) -> set[Granted]:
    """The role assignments of a file.

    Raises:
        ValueError: one is not as it should be; the text says which and how.
    """
    return {_granted(each, file) for each in assignments(file)}


def assignments(file: BicepFile) -> list[Declaration]:
    """The role assignments of a file as they are declared."""
    return [
        each for each in file.of_kind("resource").values() if each.type == "Microsoft.Authorization/roleAssignments"
    ]


def _granted(each: Declaration, file: BicepFile) -> Granted:
    (scope,), (principal,) = each.texts("scope"), each.texts("properties.principalId")
    (definition,), (name,) = each.texts("properties.roleDefinitionId"), each.texts("name")
    variable = re.search(r"roles(?:\['([^']+)'\]|\.(\w+))", definition)
    role = (variable[1] or variable[2]) if variable else ""
    if role not in ROLES or "'Microsoft.Authorization/roleDefinitions'" not in definition:
        raise ValueError(f"{each.name}: {definition} is no role of roles.json")
    if variable is None or name != f"guid({scope}.id, {principal}, {variable[0]})":
        raise ValueError(f"{each.name}: its name must be made of its scope, its principal and its role")
    why = each.texts("properties.description")
    if not why or principal not in WHO:
        raise ValueError(f"{each.name}: nobody knows what for, or who {principal} is")
    who = WHO[principal]
    kind = PRINCIPAL_TYPE.get(who, "ServicePrincipal")
    if each.texts("properties.principalType") != [kind]:
        raise ValueError(f"{each.name}: {who} must be a {kind}")
    for plainer, condition, more in MORE:
        if who == plainer and condition in text_of(each.node).partition("{")[0]:
            who = more
    return Granted(role, _on(file.of_kind("resource")[scope], file), who, why[0])


def _on(scope: Declaration, file: BicepFile) -> str:
    (node,) = scope.at("name")
    name = plain(node)
    if name is None:  # a variable of the file, or a parameter
        declared = file.of_kind("var").get(text_of(node))
        name = (plain(declared.given) if declared else None) or "of the certificate"
    return ON[scope.type].format(name)


def documented_roles(text: str) -> tuple[set[Granted], dict[tuple[str, str, str], set[str]]]:
    """What SECURITY.md says: the role assignments, and the actions by who, on what and by which role."""
    section = text.split("\n## Least privilege in Azure\n")[1].partition("\n## ")[0]
    found, actions = set(), {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 5 or cells[0].startswith("---") or "built-in role" in cells:
            continue
        action, role, on, who, why = cells
        who = who.partition(",")[0]
        found.add(Granted(role, on, who, why))
        actions[who, on, role] = set(re.findall("`([^`]+)`", action))
    return found, actions


def short(action: str) -> str:
    """An action by its last parts, as GRANTS has it."""
    parts = action.split("/")
    return "/".join(parts[-3:] if parts[-1] == "action" else parts[-2:])
