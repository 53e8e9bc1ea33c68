"""The README says what the code does: its tables are read and compared."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from adapters.model.jobs import JobType
from adapters.model.status_aliases import STATUS_WORDS, status_of
from adapters.tables.job_rows import write_row
from benchmarks import figures
from benchmarks.published import section
from benchmarks.soak.__main__ import page as soaked
from proxy.cli.main import parser
from proxy.conformance.rules.catalog import RULES
from proxy.demo.samples import jobs
from proxy.keyring.file import parse_keyring
from proxy.observability.logs import FIELDS
from proxy.observability.metrics.catalog import METRICS, PREFIX
from proxy.settings import Settings, variable
from proxy.wire.envelope import DEFAULT_COPYRIGHT
from proxy.wire.errors import ErrorCode
from proxy.wire.routes import NOT_SERVED, ROUTES
from proxy.wire.routes import ROOT as ROOT_PATH

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str, columns: int, start: str = "") -> list[list[str]]:
    """The rows of the first table of a section, or of the one whose head starts with a text."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = section[section.index(f"| {start}") :].splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    rows = rows[: next((number for number, row in enumerate(rows) if not row), len(rows))]
    assert all(len(row) == columns for row in rows)
    return rows


def code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall("`([^`]+)`", text)


def test_the_operations_that_are_served_are_the_routes() -> None:
    rows = table("Operations", 3)
    for wanted in ("served", "not served, 404"):
        told = [code(path)[0] for _, path, state in rows if state == wanted]
        routes = [route for route in ROUTES if (route.operation in NOT_SERVED) is wanted.startswith("not")]
        assert sorted(told) == sorted(
            route.template if route.root == ROOT_PATH else f"/{route.root}/{route.template}" for route in routes
        )


def test_the_figures_are_those_that_were_measured_last() -> None:
    assert section("figures of make bench", figures.page(ROOT / "benchmarks")) in README
    assert section("figures of make soak", soaked()) in README


def test_the_table_of_errors_has_the_catalogue() -> None:
    told = {
        (int(status), name)
        for statuses, names, _ in table("Operations", 3, "HTTP")
        for status in statuses.split(", ")
        for name in code(names)
    }
    assert told == {(entry.value.status, entry.value.authentication.value) for entry in ErrorCode}


def test_the_settings_have_their_names_defaults_and_meanings() -> None:
    rows = table("Settings", 3)
    assert [code(row[0])[0] for row in rows] == [variable(name) for name in Settings.model_fields]
    for (_, default, meaning), field in zip(rows, Settings.model_fields.values(), strict=True):
        assert meaning.removesuffix("; `serve` requires it") == field.description
        value = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        if value == DEFAULT_COPYRIGHT:
            assert default == "the notice of get-job-list"
        elif value in {None, ""}:
            assert default == ""
        else:
            assert default == f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_the_example_of_a_key_ring_is_one() -> None:
    example = README.split("```json\n")[1].split("```")[0]
    assert set(parse_keyring(example).accounts) == {"contoso", "fabrikam"}


def test_the_row_table_has_the_properties_that_are_written() -> None:
    written = set[str]()
    for job in jobs():
        written |= set(write_row("demo", job))
    named = {code(row[0])[0]: row for row in table("Stored rows", 3)}
    assert set(named) == written - {"PartitionKey", "RowKey"}
    assert code(named["JobType"][2]) == [job_type.value for job_type in JobType]


def test_the_status_words_are_those_that_are_read() -> None:
    rows = table("Stored rows", 2, "status words")
    told = {word: meaning for words, meaning in rows for word in code(words)}
    assert {word.lower() for word in told} == set(STATUS_WORDS)
    for word, meaning in told.items():
        status = status_of(word)
        assert status is not None
        assert status.value == meaning


def test_every_difference_has_a_test_of_its_number() -> None:
    numbers = [int(row[0]) for row in table("Differences from the documents", 4)]
    assert numbers == sorted(set(numbers))
    # 27 to 40 are the queries', but for 37.
    assert set(range(1, 27)) <= set(numbers)
    assert not set(numbers) & (set(range(27, 41)) - {37})
    source = (ROOT / "tests" / "integration" / "api" / "test_differences.py").read_text(encoding="utf-8")
    names = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    tested = [int(match[1]) for name in names if (match := re.match(r"test_difference_(\d+)_", name))]
    assert sorted(tested) == numbers


def test_every_command_is_in_the_table() -> None:
    told = " ".join(row[0] for row in table("Commands", 2))
    more = {"jobs put": ["file"], "jobs import": ["file"], "keys add": ["--account", "a"], "keys revoke": ["ab"]}
    more |= {"sources access-id": ["a", "b"]}
    more |= {"conformance": ["--base-url", "https://a", "--key", "k"]}
    commands = (
        "serve",
        "worker",
        "check",
        "conformance",
        "jobs put",
        "jobs list",
        "jobs import",
        "sources access-id",
        "keys add",
        "keys list",
        "keys revoke",
    )
    for command in commands:
        assert f"`python -m proxy {command}" in told
        parser().parse_args([*command.split(), *more.get(command, [])])


def test_every_metric_is_in_the_table_with_its_labels() -> None:
    told = [(code(name)[0], kind, tuple(code(labels)), meaning) for name, kind, labels, meaning in table("Watching", 4)]
    assert told == [(each.name.removeprefix(PREFIX), each.kind.value, each.labels, each.help) for each in METRICS]


def test_the_number_of_rules_is_that_of_the_table() -> None:
    assert f"judges\n{len(RULES)} rules" in README


def test_every_alert_is_in_the_table() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    told = [(code(row[0])[0], row[1]) for row in table("Watching", 3, "alert |")]
    assert sorted(told) == sorted(
        (rule["alert"], rule["labels"]["severity"]) for group in rules["groups"] for rule in group["rules"]
    )


def test_the_log_line_that_is_shown_has_the_members_of_one() -> None:
    shown = json.loads(README.split("\n### Logs\n")[1].split("```json\n")[1].split("```")[0])
    assert list(shown) == ["time", "level", "logger", "message", *(name for name in FIELDS.values() if name in shown)]
    assert set(FIELDS.values()) - set(shown) == {"partition_key", "row_key", "advice", "more"}


def test_every_threat_names_a_test_that_exists() -> None:
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("## Threat model")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in security.splitlines() if line.startswith("| ") and line.count("|") == 5]
    threats = [row for row in rows if row[0].strip() != "threat"]
    assert len(threats) > 15
    for row in threats:
        (path,) = code(row[3])
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize(
    "path",
    sorted(
        set(re.findall(r"`((?:proxy|adapters|tests)/[\w/.]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    ),
)
def test_a_path_in_contributing_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_lock_file_names_no_address() -> None:
    assert "://" not in (ROOT / "deploy" / "emulator" / "package-lock.json").read_text(encoding="utf-8")
