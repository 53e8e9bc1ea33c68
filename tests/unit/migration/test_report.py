"""The report: a line for each data source, and a status that only sameness makes good."""

import re

import pytest

from proxy.migration.job_copy import JobCounts
from proxy.migration.report import DIFFERENT, NOT_COPIED, PLANNED, SAME, UNCHANGED, Left, MigrationReport, SourceRow


def report(*rows: SourceRow, dry_run: bool = False) -> MigrationReport:
    return MigrationReport("https://service.example", "contoso", dry_run, list(rows))


def test_the_table_has_a_line_for_each_data_source() -> None:
    found = report(
        SourceRow("Shops", staged=False, result=SAME, entities=20_000, bytes=12_345_678, seconds=3.25),
        SourceRow("Shops", staged=True, result=DIFFERENT, entities=1, bytes=10, details="the schema"),
        SourceRow("Bars", staged=False, result=NOT_COPIED, details="line\nbreak"),
    )
    found.jobs = JobCounts(listed=7, written=5, outputs=2, output_bytes=2048, pending=1, problems=["job x: gone"])
    found.warnings.append("Shops is open")
    found.left.append(Left("a key", "it opens all", "Give one."))
    lines = list(found.as_text())
    assert (
        len(
            {line.index(word) for line, word in zip(lines, ("result", "same", "different", "not copied"), strict=False)}
        )
        == 1
    )
    assert [re.sub(" +", " ", line) for line in lines] == [
        "data source entities bytes seconds result",
        "Shops 20,000 12,345,678 3.2 same",
        "Shops (staged) 1 10 0.0 different: the schema",
        "Bars ? ? 0.0 not copied: line break",
        "jobs: 7 listed, 5 written, 2 outputs (2,048 bytes), 1 pending, which the next run follows",
        "job x: gone",
        "warning: Shops is open",
        "not taken along: a key: it opens all. Give one.",
    ]


def test_a_dry_run_marks_what_is_a_guess() -> None:
    rows = [SourceRow("Shops", staged=False, result=PLANNED, entities=2, bytes=900)]
    lines = list(report(*rows, dry_run=True).as_text())
    assert "~900" in lines[1]
    assert "0 to write" in lines[2]


@pytest.mark.parametrize(
    ("result", "dry_run", "good"),
    [
        (SAME, False, True),
        (UNCHANGED, False, True),
        (DIFFERENT, False, False),
        (NOT_COPIED, False, False),
        (PLANNED, True, True),
        (PLANNED, False, False),
    ],
)
def test_only_the_same_is_good(result: str, *, dry_run: bool, good: bool) -> None:
    found = report(SourceRow("Shops", staged=False, result=result), dry_run=dry_run)
    assert found.is_good == good
    assert found.as_json()["same"] == good
    found.stopped = "the disk is full"
    assert not found.is_good


def test_a_job_that_was_not_copied_is_no_success() -> None:
    found = report()
    assert found.is_good
    found.jobs.problems.append("job x: gone")
    assert not found.is_good
