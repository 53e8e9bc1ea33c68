"""What importing a pure package loads. `make lint` checks which packages may import which."""

import subprocess
import sys

import pytest

SECONDS = 120

HEAVY = {"azure", "aiohttp", "starlette", "uvicorn"}

LOAD = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("adapters.model", HEAVY | {"proxy"}),
        ("proxy.wire", HEAVY),
        ("proxy.formats", HEAVY),
        ("proxy.query", HEAVY),
        ("proxy.keyring", HEAVY),
    ],
)
def test_a_pure_package_loads_no_sdk_and_no_server(package: str, forbidden: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, package], capture_output=True, text=True, check=True, timeout=SECONDS
    )
    loaded = set(done.stdout.split())
    assert f"{package}." in {name[: len(package) + 1] for name in loaded}  # its modules were found
    assert not forbidden & {name.partition(".")[0] for name in loaded}


def test_the_model_imports_nothing_else_of_adapters() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, "adapters.model"], capture_output=True, text=True, check=True, timeout=SECONDS
    )
    loaded = {name for name in done.stdout.split() if name.startswith("adapters.")}
    assert {name for name in loaded if not name.startswith("adapters.model")} == set()


def test_parsing_a_query_loads_neither_arrow_nor_geos() -> None:
    """The process that serves has no need of them until a query runs."""
    parse = """
import sys
from proxy.query.render import render
from proxy.query.request import parse_request
parse_request("Shops", {"$filter": "Name eq 'x'", "spatialfilter": "nearby(1,2,3)", "$select": "*"})
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", parse], capture_output=True, text=True, check=True, timeout=SECONDS)
    assert not {"numpy", "pyarrow", "shapely", "lxml"} & set(done.stdout.split())
