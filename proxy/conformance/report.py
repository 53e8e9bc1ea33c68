"""The report: what each rule's verdict is and what shows it, for people or as JSON. Keys and signatures are masked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from proxy.conformance.recording import Recording
from proxy.conformance.redaction import Redactor
from proxy.conformance.rule import Observation, Outcome, RuleResult
from proxy.conformance.rules.catalog import SECTIONS

WIDTH = 160
TAIL = 60


def counts(verdicts: Iterable[RuleResult]) -> dict[str, int]:
    """How many rules had each outcome."""
    found = Counter(each.outcome for each in verdicts)
    return {"kept": found[Outcome.PASSED], "broken": found[Outcome.FAILED], "notJudged": found[Outcome.SKIPPED]}


def as_text(base_url: str, record: Recording, verdicts: Sequence[RuleResult]) -> Iterator[str]:
    """The lines of the report."""
    mask = Redactor(record.secrets)
    yield mask.text(f"Wire contract, asked of {base_url} on {record.asked_at:%Y-%m-%d %H:%M:%S} UTC")
    yield f"{len(record.exchanges)} requests, GET and HEAD only; the job list: {mask.text(_job_list(record))}"
    if record.stopped:
        yield f"NOT ALL WAS ASKED: it ended {record.stopped}"
    yield _summary(verdicts)
    for section, title in SECTIONS.items():
        yield ""
        yield f"{section} {title}"
        for each in verdicts:
            if each.rule.section == section:
                yield from _lines(each, mask)
    yield ""
    yield _summary(verdicts)  # again, for a report is longer than a screen


def _summary(verdicts: Sequence[RuleResult]) -> str:
    told = counts(verdicts)
    return f"{len(verdicts)} rules: {told['kept']} kept, {told['broken']} broken, {told['notJudged']} not judged"


def _lines(verdict: RuleResult, mask: Redactor) -> Iterator[str]:
    outcome = verdict.outcome.upper() if verdict.outcome is Outcome.FAILED else verdict.outcome.value
    reason = f" - {mask.text(verdict.reason)}" if verdict.reason else f" ({verdict.looked_at})"
    yield f"  {outcome:10}  {verdict.rule.id:24} {verdict.rule.sentence}{reason}"
    for seen in verdict.exhibits:
        yield f"{'':14}{_cut(mask.text(seen.exchange.ask.told))}: {_shows(seen, mask)}"
        if seen.wrong:
            yield f"{'':14}  -> {_cut(mask.text(seen.wrong))}"


def as_json(base_url: str, record: Recording, verdicts: Sequence[RuleResult]) -> dict[str, Any]:
    """The report for machines; `schema` grows when a member changes its meaning."""
    mask = Redactor(record.secrets)
    return {
        "schema": 1,
        "baseUrl": mask.text(base_url),
        "askedAt": record.asked_at.isoformat(timespec="seconds"),
        "requests": len(record.exchanges),
        "stopped": record.stopped or None,
        "jobList": mask.text(_job_list(record)),
        "counts": counts(verdicts),
        "rules": [_rule(each, mask) for each in verdicts],
    }


def _job_list(record: Recording) -> str:
    """What most rules depend on."""
    first = record.exchanges[0]
    envelope = record.envelope_of(first)
    return f"{first.status_line}, " + (
        "no envelope" if envelope is None else f"{envelope.code}, {len(envelope.jobs)} jobs"
    )


def _rule(verdict: RuleResult, mask: Redactor) -> dict[str, Any]:
    return {
        "id": verdict.rule.id,
        "section": verdict.rule.section,
        "rule": verdict.rule.sentence,
        "verdict": verdict.outcome.value,
        "lookedAt": verdict.looked_at,
        "reason": mask.text(verdict.reason) or None,
        "evidence": [
            {
                "request": _cut(mask.text(seen.exchange.ask.told)),
                "shows": _shows(seen, mask),
                "wrong": _cut(mask.text(seen.wrong)) or None,
            }
            for seen in verdict.exhibits
        ],
    }


def _shows(seen: Observation, mask: Redactor) -> str:
    """What shows it: masked before anything is cut."""
    if isinstance(seen.shows, str):
        return _cut(mask.text(seen.shows))
    start, end = seen.shows
    return _cut(mask.part(seen.exchange.body, start, end).decode("utf-8", "replace"))


def _cut(text: str) -> str:
    """A text on one line, without characters that a terminal would obey; of a long one its beginning and its end."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - TAIL]} ... {plain[-TAIL:]}"
