"""The documents lead somewhere, name what exists, and repeat the code's tables as they are."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.published import section as published
from benchmarks.soak.__main__ import page as soak_page
from proxy.cli.main import parser
from proxy.settings import Settings, variable_name
from proxy.unknown_variables import AZD_VARIABLES
from tests.docs import tables
from tests.docs.pages import PAGES, ROOT, anchors, code, links, read, table

README_LINES = 125


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_generated_tables_are_current() -> None:
    assert tables.main(["--check"]) == 0, "run: make docs"


def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_variables_are_settings(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # it also names settings that are gone
    known = {variable_name(name) for name in Settings.model_fields} | AZD_VARIABLES
    named = set(re.findall(r"\bPROXY_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert named - known == set()


def test_shown_commands_have_arguments_that_exist(page: Path) -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    for command in re.findall(r"(?:^|\s)spatial-data-proxy ([a-z][^\n]*)", text):
        words = shlex.split(command, comments=True)
        arguments = list(takewhile(lambda word: word not in {"|", "||", "&&", ">"}, words))
        assert parser().parse_args(arguments), command


def test_no_page_names_a_package_registry_or_a_local_path(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"p[y]pi\.org|n[p]mjs|/[h]ome/|/[r]oot/|/[w]ork/", text, re.IGNORECASE) == []


def test_the_readme_is_two_screens() -> None:
    assert len(read("README.md").splitlines()) <= README_LINES


def test_every_page_is_in_the_sites_navigation_and_the_readme() -> None:
    navigation, readme = read("mkdocs.yml"), read("README.md")
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = str(path.relative_to(ROOT / "docs"))
        assert name in navigation
        assert name == "index.md" or f"docs/{name}" in readme


def test_published_figures_are_those_last_measured() -> None:
    performance = read("docs/performance.md")
    assert published("figures of make bench", figures.page(ROOT / "benchmarks")) in performance
    assert published("figures of queries", figures.page(ROOT / "benchmarks" / "queries")) in performance
    assert published("figures of geocode jobs", figures.page(ROOT / "benchmarks" / "geocode")) in performance
    assert published("figures of make soak", soak_page()) in performance


def test_every_threat_names_a_test_that_exists() -> None:
    rows = table(read("SECURITY.md"), "threat |")
    assert len(rows) > 15
    for row in rows:
        (path,) = code(row[3])
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_of_code_exist(name: str) -> None:
    paths = [
        path for path in code(read(name)) if re.fullmatch(r"(proxy|adapters|tests|deploy|benchmarks)(/[\w.-]*)+", path)
    ]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_azure_page_names_the_azd_that_it_takes() -> None:
    wanted = re.findall(r'^ *azd: ">= ([\d.]+)"$', read("azure.yaml"), re.MULTILINE)
    assert [f"`azd` {version} or newer" in read("docs/deployment/azure.md") for version in wanted] == [True]


@pytest.mark.parametrize("folder", ["deploy/emulator", "tests/browser"])
def test_the_lock_file_names_no_address(folder: str) -> None:
    assert "://" not in read(f"{folder}/package-lock.json")
