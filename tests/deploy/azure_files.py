"""The files of `deploy/azure`, as the tests of them read them."""

import json
from typing import Any

import yaml
from tree_sitter import Node

from tests.deploy.bicep_file import AZURE, BicepFile, Declaration, all_files, members, plain
from tests.deploy.tools import ROOT

AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
PARAMETERS: dict[str, Any] = json.loads((AZURE / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]

FILES = all_files()
MAIN = BicepFile.read(AZURE / "main.bicep")
RESOURCES = BicepFile.read(AZURE / "resources.bicep")
MODULES = {file.path.stem: file for file in FILES if file.path.parent.name == "modules"}
KEY_STORE = MODULES["key-store"]
KEYRING = MODULES["keyring"]
APPS = ("proxy", "worker", "console")
PUSHED = ("proxy", "worker")
"""The apps that azd pushes an image for. The console runs the proxy's."""


def app(name: str) -> Declaration:
    """The container app of an app's file."""
    return MODULES[name].of_kind("resource")[name]


def environment(name: str) -> dict[str, Node]:
    """The settings that an app's file gives it."""
    given = MODULES[name].of_kind("var")["ownSettings"].given
    assert given is not None
    entries = [members(entry) for entry in given.named_children]
    return {plain(entry["name"]) or "": entry["value"] for entry in entries}


def value_of(declared: Declaration) -> Node:
    """What stands after the equals sign, which is there."""
    assert declared.given is not None
    return declared.given
