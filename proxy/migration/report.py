"""The report of a run: a line for each data source, the jobs, what can't be taken along, and what to do."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from proxy.migration.job_copy import JobCounts

SCHEMA = 1

SAME, UNCHANGED, DIFFERENT, NOT_COPIED, PLANNED = "same", "unchanged", "different", "not copied", "to copy"

_GOOD = {SAME, UNCHANGED}

_NUMBER_WIDTH = 12


@dataclass
class SourceRow:
    """One version of a data source. `details` say what differs, or why it was not copied."""

    name: str
    staged: bool
    result: str
    entities: int | None = None
    bytes: int | None = None
    seconds: float = 0
    details: str = ""

    @property
    def title(self) -> str:
        """The name as the table shows it."""
        return f"{self.name} (staged)" if self.staged else self.name


@dataclass(frozen=True, slots=True)
class Left:
    """Something that can't be taken along: what it opens or does, and what to do."""

    what: str
    effect: str
    do: str


@dataclass
class MigrationReport:
    """The report. `stopped` says why the run ended early; empty where it did not."""

    origin: str
    account: str
    dry_run: bool
    rows: list[SourceRow] = field(default_factory=list)
    jobs: JobCounts = field(default_factory=JobCounts)
    warnings: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    stopped: str = ""

    @property
    def is_good(self) -> bool:
        """Whether both sides are the same."""
        rows_good = all(row.result in _GOOD or (self.dry_run and row.result == PLANNED) for row in self.rows)
        return rows_good and not self.jobs.problems and not self.stopped

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "schema": SCHEMA,
            "command": "migrate",
            "from": self.origin,
            "account": self.account,
            "dry_run": self.dry_run,
            "same": self.is_good,
            "stopped": self.stopped or None,
            "data_sources": [asdict(row) for row in self.rows],
            "jobs": asdict(self.jobs),
            "warnings": self.warnings,
            "left_behind": [asdict(each) for each in self.left],
        }

    def as_text(self) -> Iterator[str]:
        """The report for people, line by line."""
        width = max([len("data source"), *(len(row.title) for row in self.rows)])
        numbers = "".join(f"{each:>{_NUMBER_WIDTH}}" for each in ("entities", "bytes", "seconds"))
        yield f"{'data source':<{width}}{numbers}  result"
        for row in self.rows:
            about = "~" if self.dry_run and row.bytes is not None and row.result == PLANNED else ""
            size = "?" if row.bytes is None else f"{about}{row.bytes:,}"
            counts = f"{'?' if row.entities is None else f'{row.entities:,}':>{_NUMBER_WIDTH}}{size:>{_NUMBER_WIDTH}}"
            result = f"{row.result}: {row.details}" if row.details else row.result
            yield f"{row.title:<{width}}{counts}{row.seconds:>{_NUMBER_WIDTH}.1f}  {_printable(result)}"
        jobs, verb = self.jobs, "to write" if self.dry_run else "written"
        yield (
            f"jobs: {jobs.listed} listed, {jobs.written} {verb}, {jobs.outputs} outputs ({jobs.output_bytes:,} bytes)"
            + (f", {jobs.pending} pending, which the next run follows" if jobs.pending else "")
        )
        yield from map(_printable, jobs.problems)
        for warning in self.warnings:
            yield f"warning: {_printable(warning)}"
        for each in self.left:
            yield _printable(f"not taken along: {each.what}: {each.effect}. {each.do}")


def _printable(text: str) -> str:
    """One line: part of it may be the service's own words."""
    return re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", text)
