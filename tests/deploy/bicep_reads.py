"""What is read of resources and of modules' outputs must be there: `vault.properties.vaultUri` and the like."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from tests.deploy.bicep_file import BicepFile, Declaration, members, text_of, walk
from tests.deploy.bicep_shapes import MODELS, fields

OF_EVERY_RESOURCE = {"id", "name", "type", "location", "tags", "apiVersion"}

# What may be read of the types without a model.
READABLE = {
    "Microsoft.ContainerRegistry/registries": {"properties.loginServer"},
    "Microsoft.KeyVault/vaults": {"properties.vaultUri"},
    "Microsoft.ManagedIdentity/userAssignedIdentities": {"properties.clientId", "properties.principalId"},
    "Microsoft.Network/virtualNetworks": {"properties.subnets.id"},
}


def reads(file: BicepFile) -> list[str]:
    """Paths that lead nowhere."""
    paths = sorted({_path(node) for node in walk(file.root) if _is_whole(node)})
    return [f"{file.path.name}: {path} is not there" for path in paths if _is_lost(path, file)]


def _is_lost(path: str, file: BicepFile) -> bool:
    name, *parts = path.split(".")
    resources, modules = file.of_kind("resource"), file.of_kind("module")
    if name in resources:
        return not _is_there(resources[name], parts)
    # That the output itself is there is looked at where modules are.
    return name in modules and parts[0] == "outputs" and len(parts) > 2 and not _is_given(modules[name], parts, file)


def _is_whole(node: Node) -> bool:
    """Whether this is all of a path, not a part of a longer one."""
    longer = node.parent is not None and node.parent.type in {"member_expression", "subscript_expression"}
    return node.type == "member_expression" and not (longer and node.parent.named_children[0] == node)  # type: ignore[union-attr]  # there is one


def _path(node: Node) -> str:
    return re.sub(r"\[[^\]]*\]", "", text_of(node))


def _is_there(resource: Declaration, parts: list[str]) -> bool:
    if parts[0] in OF_EVERY_RESOURCE:
        return len(parts) == 1
    if resource.type in MODELS:
        return _leads_somewhere(resource.type, parts)
    return ".".join(parts) in READABLE.get(resource.type, set())


def _leads_somewhere(kind: str, parts: list[str]) -> bool:
    module, model = MODELS[kind]
    for number, part in enumerate(parts):
        known = fields(module, model)
        if part not in known:
            return False
        named = re.search(r"_models\.(\w+)", known[part] or "")
        if named is None:
            return number == len(parts) - 1
        model = named[1]
    return True


def _is_given(module: Declaration, parts: list[str], file: BicepFile) -> bool:
    """Whether a module's output is an object with this member."""
    given = BicepFile.read(file.path.parent / module.about).of_kind("output")[parts[1]].given
    objects: Iterator[Node] = (node for node in walk(given) if node.type == "object") if given else iter(())
    return len(parts) == 3 and any(parts[2] in members(node) for node in objects)
