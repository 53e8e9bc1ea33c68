"""How tests change a recorded answer so that it breaks a rule."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proxy.conformance.contract import JSON, XML, BodyFormat
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.recording import Recording

Mutation = Callable[[Recording], Recording]
Which = Callable[[Exchange], bool]


def of(*purposes: Purpose, form: BodyFormat | None = None, kind: str = "") -> Which:
    """Exchanges of these purposes or of all, in one format or both, about one job type or any."""

    def is_chosen(exchange: Exchange) -> bool:
        request = exchange.request
        is_kind = not kind or (request.job is not None and request.job.job_type == kind)
        return (not purposes or request.purpose in purposes) and form in {None, request.format} and is_kind

    return is_chosen


def each(which: Which, change: Callable[[Exchange], Exchange]) -> Mutation:
    """Changes every chosen exchange."""
    return lambda recording: replace(
        recording, exchanges=[change(found) if which(found) else found for found in recording.exchanges]
    )


def answer(which: Which, **changes: Any) -> Mutation:
    """Sets fields of the exchanges: status, reason, body, failure."""
    return each(which, lambda found: replace(found, **changes))


def gone(*purposes: Purpose, kind: str = "") -> Mutation:
    """The answer is a 404 where a job was."""
    return answer(of(*purposes, kind=kind), status=404)


def header(which: Which, name: str, value: str | None) -> Mutation:
    """Sets a header, or removes it."""

    def change(found: Exchange) -> Exchange:
        others = tuple(pair for pair in found.headers if pair[0].lower() != name.lower())
        return replace(found, headers=others if value is None else (*others, (name, value)))

    return each(which, change)


def body(which: Which, pattern: str, new: str, count: int = 0) -> Mutation:
    """Replaces what a pattern matches in bodies."""
    compiled = re.compile(pattern.encode(), re.DOTALL)
    return each(which, lambda found: replace(found, body=compiled.sub(new.encode(), found.body, count=count)))


def json_body(pattern: str, new: str, *purposes: Purpose, count: int = 0, kind: str = "") -> Mutation:
    """The same in JSON answers."""
    return body(of(*purposes, form=JSON, kind=kind), pattern, new, count)


def xml_body(pattern: str, new: str, *purposes: Purpose, count: int = 0, kind: str = "") -> Mutation:
    """The same in XML answers."""
    return body(of(*purposes, form=XML, kind=kind), pattern, new, count)


def all_of(*mutations: Mutation) -> Mutation:
    """One after another."""

    def change(recording: Recording) -> Recording:
        for mutation in mutations:
            recording = mutation(recording)
        return recording

    return change
