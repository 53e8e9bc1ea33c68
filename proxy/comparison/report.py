"""The report of a comparison: as JSON, and as lines for a terminal. Keys and signatures are redacted."""

from collections.abc import Iterator, Sequence
from typing import Any

from proxy.comparison.difference import Difference, Outcome, first_difference
from proxy.comparison.findings import Finding, Findings
from proxy.comparison.plan import ACCOUNT, JOBS
from proxy.comparison.redaction import Redactor

WIDTH = 160
MAX_SHOWN = 20  # questions that a terminal shows
MAX_MEMBERS = 5  # members of each
MAX_NAME = 60
AROUND = 60  # characters around the first one that differs


def build_report(
    sides: Sequence[str], findings: Findings, secrets: Sequence[str], *, with_values: bool
) -> dict[str, Any]:
    """The report for programs; `schema` grows when a member changes its meaning.

    Args:
        sides: the URLs of the left and the right side.
        findings: what was found.
        secrets: the keys, which no report shows.
        with_values: whether requests and values are shown as they are.
    """
    left, right = sides
    names = [each for each in (ACCOUNT, JOBS) if each in findings.counts]
    names += sorted(each for each in findings.counts if each not in names)
    report = {
        "schema": 1,
        "command": "compare",
        "left": left,
        "right": right,
        "startedAt": findings.started_at.isoformat(timespec="seconds"),
        "seconds": round(findings.seconds, 1),
        "stopped": findings.stopped or None,
        "notes": list(_notes(findings)),
        "same": findings.are_same,
        "counts": {each.value: findings.total(each) for each in Outcome},
        "about": [
            {
                "name": name,
                "entities": list(findings.entities.get(name, ())),
                "counts": {each.value: findings.counts[name][each] for each in Outcome},
            }
            for name in names
        ],
        "questions": [
            _finding(each, with_values=with_values)
            for each in sorted(findings.found, key=lambda each: (names.index(each.question.about), each.question.title))
        ],
    }
    redacted = _redact(report, Redactor(secrets))
    return dict(redacted)


def _notes(findings: Findings) -> Iterator[str]:
    if findings.are_both_ours:
        yield "both sides are this program: see --connect-to if one should be Bing"
    if findings.copies:
        yield f"the job lists are without the loads that made copies of what the other side has: {len(findings.copies)}"


def _finding(finding: Finding, *, with_values: bool) -> dict[str, Any]:
    question, verdict = finding.question, finding.verdict
    shown = {"request": question.request} if with_values else {}
    return {
        "about": question.about,
        "question": question.title,
        **shown,
        "verdict": verdict.outcome.value,
        "reason": verdict.reason or None,
        "differences": verdict.count,
        "members": [_member(each) for each in verdict.differences],
    }


def _member(difference: Difference) -> dict[str, Any]:
    member: dict[str, Any] = {"path": difference.path, "problem": difference.problem}
    if difference.left is not None and difference.right is not None:
        member |= {"left": difference.left, "right": difference.right}
        member["at"] = first_difference(difference.left, difference.right)
    return member


def split_at(text: str, at: int) -> tuple[str, str, str]:
    """The text around a position, cut: what stands before, there, and after."""
    start, end = max(0, at - AROUND), at + 1 + AROUND
    before = ("..." if start else "") + text[start:at]
    return before, text[at : at + 1], text[at + 1 : end] + ("..." if end < len(text) else "")


def as_lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a terminal or a pipe."""
    yield f"left   {report['left']}"
    yield f"right  {report['right']}"
    yield ""
    wide = min(MAX_NAME, max(len(each["name"]) for each in report["about"])) if report["about"] else 0
    yield f"{'':{wide}}  {'entities':>17}  {'same':>6} {'different':>9} {'not comparable':>14}"
    for each in report["about"]:
        same, different, unknown = each["counts"].values()
        shown = f"{each['name'][:wide]:{wide}}  {show_entities(each['entities']):>17}"
        yield f"{shown}  {same:6} {different:9} {unknown:14}"
    for finding in report["questions"][:MAX_SHOWN]:
        yield ""
        yield from _finding_lines(finding)
    if len(report["questions"]) > MAX_SHOWN:
        yield ""
        yield f"... and {len(report['questions']) - MAX_SHOWN} more, which --json, --html and the saved report have"
    yield ""
    yield from (f"note: {each}" for each in report["notes"])
    yield summary(report)


def summary(report: dict[str, Any]) -> str:
    """The verdict in one line."""
    same, different, not_comparable = report["counts"].values()
    stopped = f"; stopped {report['stopped']}" if report["stopped"] else ""
    return f"{same} same, {different} different, {not_comparable} not comparable in {report['seconds']:g} s{stopped}"


def show_entities(counts: Sequence[int | None]) -> str:
    """The number of entities, or both where they differ."""
    texts = ["not known" if each is None else str(each) for each in counts]
    return " / ".join(dict.fromkeys(texts))


def _finding_lines(finding: dict[str, Any]) -> Iterator[str]:
    yield _cut(f"{finding['verdict']}: {finding['about']}, {finding['question']}")
    if "request" in finding:
        yield _cut(f"  {finding['request']}")
    if finding["reason"]:
        yield _cut(f"  {finding['reason']}")
    for member in finding["members"][:MAX_MEMBERS]:
        yield _cut(f"  {member['path']} {member['problem']}")
        for side in ("left", "right"):
            if side in member:
                before, here, after = split_at(member[side], member["at"])
                yield f"    {side:5}  {before}[{here}]{after}"
    if finding["differences"] > MAX_MEMBERS:
        yield f"  ... {finding['differences']} members in all"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _redact(value: Any, redactor: Redactor) -> Any:  # noqa: ANN401 - what JSON holds
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {name: _redact(each, redactor) for name, each in value.items()}
    return [_redact(each, redactor) for each in value] if isinstance(value, list) else value
