"""The arguments of the commands that show and change jobs, data sources and workers; `arguments` has the others'."""

import argparse
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Protocol, TypeVar

from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import Ticks, from_datetime, parse_ticks
from proxy.cli.arguments import RING, add_group

if TYPE_CHECKING:
    from proxy.cli.arguments import Commands

MAX_TOP = 1_000_000
"""Entities that one command prints."""

_T = TypeVar("_T")

_SPAN = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_JOB_ID = "the job's id, or the one that it had at Bing"
_WAIT = "wait for the end of the job; status 1 where it is Aborted"


def add_jobs(commands: "Commands") -> None:
    """`jobs ...`: job rows."""
    jobs = add_group(commands, "jobs", "show, list, retry and abort jobs; write and import job rows")
    account = _account()

    def add(name: str, text: str, run: str) -> argparse.ArgumentParser:
        command = jobs.add_parser(name, parents=[account], help=text, epilog=RING)
        command.set_defaults(run=f"proxy.cli.{run}")
        return command

    command = add("list", "print jobs: a table on a terminal, else lines of JSON", "jobs:list_jobs")
    command.add_argument("--status", type=_status, action="append", help="only those of this status; repeatable")
    command.add_argument("--type", type=_type, action="append", help="only those of this job type; repeatable")
    command.add_argument("--data-source", metavar="NAME", help="only those of this data source")
    command.add_argument(
        "--since",
        type=parse_since,
        metavar="TIME",
        help="only those created since then: 24h, 7d, or a date like 2030-01-01",
    )
    _add_table(command)
    command = add("show", "print everything about a job", "job_operations:show_job_row")
    command.add_argument("id", metavar="ID", help=_JOB_ID)
    command = add("retry", "do an Aborted job again", "job_operations:retry_jobs")
    command.add_argument("id", metavar="ID", help=_JOB_ID)
    command.add_argument("--wait", action="store_true", help=_WAIT)
    command = add("abort", "end a Pending job, also one that a worker is doing", "job_operations:abort_jobs")
    command.add_argument("id", metavar="ID", help=_JOB_ID)
    command = add("put", "write job rows from lines of JSON", "jobs:put_jobs")
    command.add_argument("file", metavar="FILE", help="a path, or - for standard input")
    command = add("import", "import a job list saved from Bing", "jobs:import_jobs")
    command.add_argument("file", metavar="FILE", help="a saved answer of ListJobs, JSON or XML, or -")


def add_sources(commands: "Commands") -> None:
    """`sources ...`: data sources."""
    sources = add_group(commands, "sources", "show, query and change data sources")
    account = _account()

    def add(name: str, text: str, run: str, *, named: bool = True) -> argparse.ArgumentParser:
        command = sources.add_parser(name, parents=[account], help=text, epilog=RING)
        command.set_defaults(run=f"proxy.cli.{run}")
        if named:
            command.add_argument("name", metavar="NAME", help="the data source")
        return command

    command = add(
        "list", "print data sources: a table on a terminal, else lines of JSON", "source_views:list_all", named=False
    )
    _add_table(command)
    command = add("show", "print a data source with its versions", "source_views:show")
    command = add("query", "print entities as lines of JSON", "source_queries:query")
    command.add_argument("--filter", default="", metavar="F", help="as $filter of a query, like \"City eq 'Paris'\"")
    area = command.add_mutually_exclusive_group()
    area.add_argument("--near", type=_numbers(3), metavar="LAT,LON,KM", help="only those within so many kilometres")
    area.add_argument("--bbox", type=_numbers(4), metavar="S,W,N,E", help="only those in this box")
    command.add_argument("--select", default="", metavar="P,P", help="only these properties; by default all")
    command.add_argument("--top", type=_count, default=25, metavar="N", help="at most so many; by default 25")
    _add_changes(add)
    command = add("access-id", "keep an access id for a data source's first load", "data_sources:set_access_id")
    command.add_argument("access_id", metavar="ID", help="its access id at Bing")


def add_workers(commands: "Commands") -> None:
    """`workers list`: the workers."""
    workers = add_group(commands, "workers", "list workers")
    command = workers.add_parser(
        "list",
        parents=[_account()],
        help="print the workers of the last day: a table on a terminal, else lines of JSON",
        epilog=RING,
    )
    _add_table(command)
    command.set_defaults(run="proxy.cli.workers:list_all")


def _add_changes(add: "_Add") -> None:
    """The commands that create a job of a data source."""
    changes = [
        add("publish", "publish the staged version", "source_changes:publish"),
        add("rollback", "publish an earlier version again", "source_changes:roll_back"),
        add("set-public", "make a data source public or private", "source_changes:set_public"),
        add("delete", "delete a data source, or its staged version", "source_changes:delete"),
    ]
    _, rollback, public, delete = changes
    rollback.add_argument("version", nargs="?", metavar="VERSION", help="its id; by default the newest earlier one")
    public.add_argument("public", choices=["true", "false"], help="whether every key may query it")
    delete.add_argument("--staging", action="store_true", help="only the staged version")
    delete.add_argument("--yes", metavar="NAME", help="the name once more, where no terminal can ask for it")
    for command in changes:
        command.add_argument("--wait", action="store_true", help=_WAIT)


class _Add(Protocol):
    def __call__(self, name: str, text: str, run: str) -> argparse.ArgumentParser: ...


def parse_since(text: str) -> Ticks:
    """A time, or a span before now: 30m, 24h, 7d.

    Raises:
        ArgumentTypeError: it is neither.
    """
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return from_datetime(datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])}))
        return parse_ticks(text if "T" in text else f"{text}T00:00:00Z")
    except (ValueError, OverflowError):
        allowed = "30m, 24h, 7d, 2030-01-01 and 2030-01-01T12:00:00Z"
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time; allowed are texts like {allowed}") from None


def _status(word: str) -> JobStatus:
    return _one_of({each.value: each for each in JobStatus}, word)


def _type(word: str) -> JobType:
    return _one_of({each.value: each for each in JobType}, word)


def _one_of(words: Mapping[str, _T], word: str) -> _T:
    found = next((value for name, value in words.items() if name.lower() == word.lower()), None)
    if found is None:
        raise argparse.ArgumentTypeError(f"{word[:40]!r} is none of {', '.join(words)}")
    return found


def _numbers(count: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != count or not all(map(isfinite, numbers)):
            raise argparse.ArgumentTypeError(f"{text[:60]!r} is not {count} numbers with commas between them")
        return text

    return check


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_TOP):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 1 to {MAX_TOP}")
    return int(text)


def _account() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--account", help="the account in the key ring; not needed where there is only one")
    return parent


def _add_table(command: argparse.ArgumentParser) -> None:
    command.add_argument("--table", action="store_true", help="print a table, also in a pipe")
