"""The report: each rule's outcome and the evidence, as JSON or as text. Keys and signatures are redacted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from proxy.comparison.redaction import Redactor
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Outcome, RuleResult
from proxy.conformance.rules import SECTIONS

WIDTH = 160
TAIL = 60


def as_json(base_url: str, recording: Recording, results: Sequence[RuleResult]) -> dict[str, Any]:
    """The report for programs; `schema` grows when a member changes its meaning."""
    redactor = Redactor(recording.secrets)
    outcomes = Counter(each.outcome for each in results)
    first = recording.exchanges[0]
    envelope = recording.envelope_of(first)
    summary = "no envelope" if envelope is None else f"{envelope.code}, {len(envelope.jobs)} jobs"
    return {
        "schema": 1,
        "baseUrl": redactor.text(base_url),
        "askedAt": recording.started_at.isoformat(timespec="seconds"),
        "requests": len(recording.exchanges),
        "stopped": recording.stopped or None,
        "jobList": redactor.text(f"{first.status_line}, {summary}"),
        "counts": {outcome.value: outcomes[outcome] for outcome in Outcome},
        "rules": [
            {
                "id": each.rule.id,
                "section": each.rule.section,
                "rule": each.rule.title,
                "verdict": each.outcome.value,
                "lookedAt": each.observed,
                "reason": redactor.text(each.reason) or None,
                "evidence": [
                    {
                        "request": _shorten(redactor.text(observation.exchange.request.label)),
                        "shows": _show(observation, redactor),
                        "wrong": _shorten(redactor.text(observation.wrong)) or None,
                    }
                    for observation in each.evidence
                ],
            }
            for each in results
        ],
    }


def as_text(report: dict[str, Any]) -> Iterator[str]:
    """The lines of the report for people, from the one for programs."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report["counts"].items())
    counts = f"{len(report['rules'])} rules: {counts}"
    started_at = report["askedAt"].replace("T", " ").removesuffix("+00:00")
    yield f"Wire contract, checked at {report['baseUrl']} on {started_at} UTC"
    yield f"{report['requests']} requests, GET and HEAD only; the job list: {report['jobList']}"
    if report["stopped"]:
        yield f"INCOMPLETE: the run ended {report['stopped']}"
    yield counts
    for section, title in SECTIONS.items():
        yield ""
        yield f"{section} {title}"
        for rule in report["rules"]:
            if rule["section"] == section:
                yield from _rule_lines(rule)
    yield ""
    yield counts  # again: a report is longer than a screen


def _rule_lines(rule: dict[str, Any]) -> Iterator[str]:
    outcome = rule["verdict"].upper() if rule["verdict"] == Outcome.FAILED else rule["verdict"]
    reason = f" - {rule['reason']}" if rule["reason"] else f" ({rule['lookedAt']})"
    yield f"  {outcome:7}  {rule['id']:24} {rule['rule']}{reason}"
    for evidence in rule["evidence"]:
        yield f"{'':11}{evidence['request']}: {evidence['shows']}"
        if evidence["wrong"] and evidence["wrong"] != rule["rule"]:
            yield f"{'':11}  -> {evidence['wrong']}"


def _show(observation: Observation, redactor: Redactor) -> str:
    """What an observation shows; redacted first, then shortened."""
    shows = observation.shows
    if isinstance(shows, tuple):
        return _shorten(redactor.part(observation.exchange.body, *shows).decode("utf-8", "replace"))
    return _shorten(redactor.text(shows if isinstance(shows, str) else shows()))


def _shorten(text: str) -> str:
    """A text on one line, without control characters; of a long one the beginning and the end."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - TAIL]} ... {plain[-TAIL:]}"
