"""Which properties a resource may have: by Microsoft's models where one is installed, else by our own table."""

import json
import re
from collections.abc import Iterator
from enum import EnumMeta
from inspect import get_annotations
from pathlib import Path
from types import ModuleType
from typing import Any

from azure.mgmt.appcontainers import models as apps
from azure.mgmt.authorization import models as authorization
from azure.mgmt.storage import models as storage
from tree_sitter import Node

from tests.deploy.bicep_file import BicepFile, members, plain, text_of, within

MODELS: dict[str, tuple[ModuleType, str]] = {
    "Microsoft.App/containerApps": (apps, "ContainerApp"),
    "Microsoft.App/managedEnvironments": (apps, "ManagedEnvironment"),
    "Microsoft.App/managedEnvironments/certificates": (apps, "Certificate"),
    "Microsoft.Storage/storageAccounts": (storage, "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": (storage, "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (storage, "BlobContainer"),
    "Microsoft.Storage/storageAccounts/queueServices": (storage, "QueueServiceProperties"),
    "Microsoft.Storage/storageAccounts/queueServices/queues": (storage, "StorageQueue"),
    "Microsoft.Storage/storageAccounts/tableServices": (storage, "TableServiceProperties"),
    "Microsoft.Storage/storageAccounts/tableServices/tables": (storage, "Table"),
}

# The types without a model, each with the properties of the objects that we write; `{}` is what holds no more of them.
TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "bicep_shapes.json").read_text(encoding="utf-8"))

# The newest stable version of each type, as the compiler's type definitions had them when this was written; of
# diagnostic settings there is no stable one that knows categories.
VERSIONS = {
    "Microsoft.App": "2025-01-01",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.ContainerRegistry": "2025-04-01",
    "Microsoft.Insights": "2021-05-01-preview",
    "Microsoft.KeyVault": "2024-11-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/virtualNetworks": "2024-07-01",
    "Microsoft.OperationalInsights": "2025-02-01",
    "Microsoft.Resources": "2025-04-01",
    "Microsoft.Storage": "2025-01-01",
}

# What Bicep itself gives a meaning.
OF_BICEP = {"name", "parent", "scope", "dependsOn"}


def versions(file: BicepFile) -> list[str]:
    """Resources whose type names no known version."""
    found = []
    for each in file.of_kind("resource").values():
        kind, _, version = each.about.partition("@")
        provider = next((name for name in VERSIONS if kind == name or kind.startswith(f"{name}/")), None)
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(?:-preview)?", version):
            found.append(f"{file.path.name}: {each.name}: {each.about} has no version")
        elif provider is None or VERSIONS[provider] != version:
            found.append(f"{file.path.name}: {each.name}: {each.about} is no version that was looked at")
    return found


def shapes(file: BicepFile) -> list[str]:
    """Properties that a resource does not have or that can't be set, and words that one of them does not take."""
    found = []
    for each in file.of_kind("resource").values():
        if each.is_existing:
            told: Iterator[str] = (f"{name} can't be said" for name in members(each.body).keys() - OF_BICEP)
        elif each.type in MODELS:
            module, name = MODELS[each.type]
            told = _against_model(each.body, module, name, top=True)
        elif each.type == "Microsoft.Authorization/roleAssignments":
            told = _against_table(each.body, old_shape(authorization.RoleAssignmentCreateParameters), top=True)
        elif each.type in TABLE:
            told = _against_table(each.body, TABLE[each.type], top=True)
        else:
            told = iter([f"nothing is known of {each.type}"])
        found += [f"{file.path.name}: {each.name}: {text}" for text in told]
    return found


def _against_table(node: Node, shape: dict[str, Any], *, top: bool = False) -> Iterator[str]:
    for found in (each for each in within(node, "") if each.type == "object"):
        for name, value in members(found).items():
            if name in shape:
                yield from _against_table(value, shape[name]) if shape[name] else ()
            elif not (top and name in OF_BICEP):
                yield f"has no {name}"


def _against_model(node: Node, module: ModuleType, model: str, *, top: bool = False) -> Iterator[str]:
    known = fields(module, model)
    least_and_most = bounds(module, model)
    for found in (each for each in within(node, "") if each.type == "object"):
        for name, value in members(found).items():
            if name in least_and_most and value.type == "number":
                least, most = least_and_most[name]
                if not least <= int(text_of(value)) <= most:
                    yield f"{model}'s {name} must be {least} to {most}"
            if top and name in OF_BICEP:
                continue
            if name not in known:
                yield f"{model} has no {name}"
            elif known[name] is None:
                yield f"{model}'s {name} can't be set"
            else:
                yield from _against_annotation(value, module, known[name] or "", f"{model}'s {name}")


def bounds(module: ModuleType, model: str) -> dict[str, tuple[int, int]]:
    """The least and the most of a model's numbers, which it has in its description only."""
    kind = getattr(module, model)
    told = dict(re.findall(r":ivar (\w+): (.*?)(?=\n\s+:vartype)", kind.__doc__ or "", re.DOTALL))
    found = {}
    for name, field in kind._attr_to_rest_field.items():  # noqa: SLF001 - there is no public way
        text = " ".join(told.get(name, "").split())
        if said := re.search(r"Minimum value is (\d+)\. Maximum value is (\d+)", text):
            found[field._rest_name] = int(said[1]), int(said[2])  # noqa: SLF001 - the same
    return found


def _against_annotation(node: Node, module: ModuleType, annotation: str, where: str) -> Iterator[str]:
    named = re.search(r"_models\.(\w+)", annotation)
    if named is None or "dict[" in annotation:  # a text, a number, or names that are free
        return
    model = getattr(module, named[1])
    if not isinstance(model, EnumMeta):
        yield from _against_model(node, module, named[1])
        return
    words = {each.value for each in model}  # type: ignore[var-annotated]  # whatever the model's words are
    for found in within(node, ""):
        text = plain(found)
        if text is not None and text not in words:
            yield f"{where} can't be {text}"


def fields(module: ModuleType, model: str) -> dict[str, str | None]:
    """The names on the wire of a model's fields with the text of their types; None of one that can only be read."""
    kind = getattr(module, model)
    kind()  # its fields are gathered when the first is made
    annotations: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        annotations |= get_annotations(base)
    # There is no public way to a field's name and whether it is read only.
    return {
        field._rest_name: None if field._visibility == ["read"] else str(annotations.get(name, ""))  # noqa: SLF001
        for name, field in kind._attr_to_rest_field.items()  # noqa: SLF001
    }


def old_shape(model: Any) -> dict[str, Any]:
    """The shape of a model of the older generation, whose fields' names have dots; without those that are read only."""
    shape: dict[str, Any] = {}
    for name, field in model._attribute_map.items():  # noqa: SLF001 - there is no public way
        if not model._validation.get(name, {}).get("readonly"):  # noqa: SLF001 - the same
            *parents, last = field["key"].split(".")
            here = shape
            for parent in parents:
                here = here.setdefault(parent, {})
            here[last] = {}
    return shape
