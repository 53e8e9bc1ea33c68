"""Reports as `migrate` and `compare` write them."""

from collections import Counter
from typing import Any

from proxy.comparison.difference import Difference, Outcome, Question, Verdict, not_comparable
from proxy.comparison.findings import Findings
from proxy.comparison.plan import ACCOUNT, JOBS, PlannedQuestion
from proxy.comparison.report import build_report
from proxy.migration.job_copy import JobCounts
from proxy.migration.report import DIFFERENT, NOT_COPIED, SAME, Left, MigrationReport, SourceRow

LEFT, RIGHT = "https://spatial.virtualearth.net", "https://maps.contoso.example"


def compared(*, with_values: bool = False, questions: int = 2, text: str = "Shops") -> dict[str, Any]:
    """A comparison in which so many questions differ, and one can't be compared."""
    findings = Findings(seconds=12.5, copies=frozenset(("a",)), stopped="")
    findings.counts = {ACCOUNT: Counter({Outcome.SAME: 3}), JOBS: Counter({Outcome.SAME: 2}), text: Counter()}
    findings.entities[text] = (120, 119)
    values = ("Main Street 1", "Main Street 2") if with_values else (None, None)
    members = tuple(Difference(f"d.results[{at}].AddressLine", "differs", *values) for at in range(7))
    for number in range(questions):
        question = PlannedQuestion(Question.QUERY, text, f"first entities, page {number}", "data/a/Shops/Shops")
        findings.add(question, Verdict(Outcome.DIFFERENT, members, len(members)))
    last = PlannedQuestion(Question.QUERY, text, "near the first entity", "data/a/Shops/Shops")
    findings.add(last, not_comparable("the left side answers HTTP 503, throttled"))
    return build_report((LEFT, RIGHT), findings, (), with_values=with_values)


def migrated(*, sources: int = 2, text: str = "Shops") -> dict[str, Any]:
    """A migration of so many data sources, of which the last ones were not copied as a whole."""
    rows = [SourceRow(f"{text}{number}", False, SAME, 1200, 34_000, 2.5) for number in range(sources)]  # noqa: FBT003 - not staged
    rows.append(SourceRow(text, True, DIFFERENT, 7, 900, 0.5, "3 entities differ"))  # noqa: FBT003 - staged
    rows.append(SourceRow(f"{text}-gone", False, NOT_COPIED, details="HTTP 404"))  # noqa: FBT003 - not staged
    return MigrationReport(
        origin=LEFT,
        account="contoso",
        dry_run=False,
        rows=rows,
        jobs=JobCounts(40, 38, 12, 5_000_000, 1, ["job 7: its output is gone"]),
        warnings=[f"{text} is open to every key of the account"],
        left=[Left("the key of " + text, "nobody can query it", "Set a query key")],
    ).as_json()
