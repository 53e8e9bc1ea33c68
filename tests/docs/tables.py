"""Tables of the documents that repeat what code says: `python -m tests.docs.tables [--check]`.

Cog finds the marks in docs/ that call these functions, and writes their results between the marks.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from cogapp import Cog

from proxy.cli.main import parser
from proxy.conformance.rules import RULES
from proxy.formats.geocode import outcomes, requests
from proxy.observability.logs import FIELDS
from proxy.observability.metrics.catalog import PREFIX
from proxy.settings import Settings, variable_name
from proxy.wire.envelope import DEFAULT_COPYRIGHT
from proxy.wire.errors import ErrorCode
from proxy.wire.routes import NOT_SERVED, ROOT, ROUTES, Operation
from tests.support.metric_table import METRICS

DOCS = Path(__file__).parents[2] / "docs"
ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
PROGRAM = "spatial-data-proxy"

# Members of a log line: a sample value, and what the member means.
LOG_MEMBERS: dict[str, tuple[object, str]] = {
    "traceId": ("af8d2afd89d1e71b40997799fa799e3a", "the response's `traceId`"),
    "operation": ("job_status", "the operation, as in the table of operations"),
    "method": ("GET", "the HTTP method"),
    "path": (
        "/REST/v1/Dataflows/LoadDataSource/00000000000000000000000000000000?key=***",
        "the path: known words and ids only, the key masked",
    ),
    "account": ("contoso", "the account that the key opens"),
    "key": ("store locator", "the key's name in the key ring, never the key"),
    "partition_key": (None, "the partition key of a row that cannot be read"),
    "row_key": (None, "the row key of such a row"),
    "status": (404, "the HTTP status"),
    "error": ("NO_SUCH_JOB", "the error code, as in the table of errors"),
    "agent": ("StoreLocator/2.1", "the client's user agent: its first 100 characters, printable ones only"),
    "network": ("192.0.2.0/24", "the client's network: /24 of IPv4, /48 of IPv6; never its address"),
    "hint": (None, "what the operator can do about a warning"),
    "suppressed": (None, "how many equal warnings were left out since the last one"),
    "details": (None, "the rest of an error in a job's child process, in one line"),
    "duration_ms": (19.9, "milliseconds from request to response"),
    "storage_calls": (2, "the number of storage calls for this request"),
    "storage_ms": (13.9, "milliseconds of all these calls together"),
    "cache_hit": (False, "whether the record came from memory"),
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table, with a blank line before and after it, as Markdown wants after a comment."""
    lines = [tuple(head)]
    lines += [("---",) * len(lines[0]), *map(tuple, rows)]
    return "\n" + "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines) + "\n"


def settings() -> str:
    """Every setting, with its default."""
    return table(
        ("variable", "default", "meaning"),
        (
            (f"`{variable_name(name)}`", _default(field.default), field.description or "")
            for name, field in Settings.model_fields.items()
        ),
    )


def maps_settings() -> str:
    """The settings that bound what is asked of Azure Maps."""
    fields = {name: field for name, field in Settings.model_fields.items() if name.startswith("maps_")}
    return table(
        ("variable", "default", "meaning"),
        (
            (f"`{variable_name(name)}`", _default(field.default) or "off", field.description or "")
            for name, field in fields.items()
        ),
    )


def fault_reasons() -> str:
    """The texts of FaultReason that are not Azure Maps' own."""
    faults = (requests.NO_REQUEST, requests.NO_REQUEST_IN_TEXT_1, requests.FORMATTED, requests.BAD_LOCATION)
    filters = (reason for _, reason in outcomes.FILTERS)
    texts = dict.fromkeys((*faults, outcomes.NOTHING, *filters), "`BadRequest`")
    return table(
        ("`StatusCode`", "`FaultReason`"),
        ((status, text) for text, status in (texts | {outcomes.NOT_ANSWERED: "`ServerError`"}).items()),
    )


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in {None, "", ()}:
        return ""
    if value == DEFAULT_COPYRIGHT:
        return "the notice of get-job-list"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def operations() -> str:
    """Every URL template that is served. Queries are, unless a setting turns them off."""
    return _operations(served=True)


def not_served() -> str:
    """Every URL template of the API that a 404 answers."""
    return _operations(served=False)


def _operations(*, served: bool) -> str:
    return table(
        ("operation", "methods", "path"),
        (
            (
                f"`{route.operation.value}`",
                ", ".join(f"`{method}`" for method in route.methods),
                f"`{route.template}`" if route.root == ROOT else f"`/{route.root}/{route.template}`",
            )
            for route in ROUTES
            if (route.operation not in NOT_SERVED or route.operation is Operation.QUERY) is served
        ),
    )


def errors() -> str:
    """The error catalogue, by HTTP status."""
    return table(
        ("HTTP", "authenticationResultCode", "`error` in the log", "text in `errorDetails`"),
        (
            (f"{code.value.status.value}", f"`{code.value.authentication.value}`", f"`{code.name}`", code.value.text)
            for code in sorted(ErrorCode, key=lambda code: code.value.status)
        ),
    )


def metrics() -> str:
    """Every metric, without the prefix."""
    return table(
        ("metric", "kind", "labels", "meaning"),
        (
            (
                f"`{each.name.removeprefix(PREFIX)}`",
                each.type,
                ", ".join(f"`{label}`" for label in each.labels),
                each.help,
            )
            for each in METRICS
        ),
    )


def log_line() -> str:
    """An example of a request's line."""
    first = {"time": "2026-11-25T21:54:03.297Z", "level": "info", "logger": "proxy.request"}
    members = {name: LOG_MEMBERS[name][0] for name in FIELDS.values() if LOG_MEMBERS[name][0] is not None}
    line = json.dumps(first | {"message": "job_status 404"} | members)
    return f"\n```json\n{line}\n```\n"


def log_members() -> str:
    """What each member of a line means, beside `time`, `level`, `logger` and `message`."""
    return table(("member", "meaning"), ((f"`{name}`", LOG_MEMBERS[name][1]) for name in FIELDS.values()))


def alerts() -> str:
    """Every alert with a heading, what it means and what to do."""
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return "".join(_alert(rule) for group in rules["groups"] for rule in group["rules"])


def _alert(rule: dict[str, Any]) -> str:
    meaning, _, advice = rule["annotations"]["description"].strip().partition(" What to do: ")
    after = f"after {rule['for']}" if rule["for"] != "0m" else "at once"
    return (
        f"\n### {rule['alert']}\n\nSeverity {rule['labels']['severity']}, {after}. {meaning}\n\n"
        f"**What to do:** {advice}\n"
    )


def commands() -> str:
    """Every command, each with a heading, its help and its options."""
    return "\n" + "\n".join(_command(*each) for each in _leaves(parser(), "")) + "\n"


def _leaves(command: argparse.ArgumentParser, summary: str) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """The commands that have no commands below them."""
    nested = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no public way to list them
    if not nested:
        yield command, summary
    for action in nested:
        summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - the same
        for name, below in action.choices.items():
            yield from _leaves(below, summaries.get(name, summary))


def _command(command: argparse.ArgumentParser, summary: str) -> str:
    name = re.sub(r"^\S*(python -m proxy|spatial-data-proxy)", PROGRAM, command.prog)
    arguments = [action for action in command._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001 - the same
    groups = [group._group_actions for group in command._mutually_exclusive_groups]  # noqa: SLF001 - the same
    alternatives = {id(action): group for group in groups for action in group}
    words = [_alternatives(alternatives.get(id(action), [action])) for action in arguments]
    usage = " ".join([name, *dict.fromkeys(words)])
    text = f"### {name.removeprefix(PROGRAM).strip()}\n\n{summary[:1].upper()}{summary[1:]}.\n\n```text\n{usage}\n```\n"
    if arguments:
        rows = ((f"`{_name(action)}`", action.help or "") for action in arguments)
        text += table(("argument", "meaning"), rows)
    return text


def _name(action: argparse.Action) -> str:
    return ", ".join(action.option_strings) or str(action.metavar or action.dest)


def _alternatives(actions: list[argparse.Action]) -> str:
    """One argument, or several of which one is required."""
    words = [_usage(action) for action in actions]
    return words[0] if len(words) == 1 else f"({' | '.join(word.strip('[]') for word in words)})"


def _usage(action: argparse.Action) -> str:
    value = "|".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())
    if action.nargs == "?":
        value = f"[{value}]"
    text = value if not action.option_strings else action.option_strings[0] + (f" {value}" if action.nargs != 0 else "")
    return text if action.required else f"[{text}]"


def rules() -> str:
    """How many rules `conformance` has, in a paragraph."""
    return f"\nThe command judges {len(RULES)} rules.\n"


def main(arguments: list[str]) -> int:
    """Writes the tables, or with `--check` compares them; gives 0, or another number where a page is stale."""
    mode = ["--check", "--diff"] if "--check" in arguments else ["-r"]
    pages = sorted(map(str, DOCS.rglob("*.md")))
    return int(Cog().main(["cog", "-P", "-p", "from tests.docs import tables", *mode, *pages]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
