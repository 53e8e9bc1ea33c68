"""The files of `deploy/azure`, as the tests of them read them."""

from tests.deploy.bicep_file import AZURE, BicepFile, Declaration, all_files

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
