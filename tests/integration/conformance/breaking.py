"""How a recorded answer is changed, so that a rule is broken."""

import re
from collections.abc import Callable
from dataclasses import replace

from proxy.conformance.exchange import AskedFormat, Exchange, Key, Purpose
from proxy.conformance.recording import Recording

Mutation = Callable[[Recording], Recording]
Which = Callable[[Exchange], bool]


def of(*purposes: Purpose, form: AskedFormat | None = None, key: Key | None = None, kind: str = "") -> Which:
    """Chooses exchanges: of these purposes or of all, in a format, with a key, about a job type."""

    def chosen(exchange: Exchange) -> bool:
        ask = exchange.ask
        is_kind = not kind or (ask.subject is not None and ask.subject.job_type == kind)
        return (
            (not purposes or ask.purpose in purposes)
            and form in {None, ask.format}
            and key in {None, ask.key}
            and is_kind
        )

    return chosen


def each(which: Which, change: Callable[[Exchange], Exchange]) -> Mutation:
    """Changes every chosen exchange."""
    return lambda record: replace(
        record, exchanges=tuple(change(found) if which(found) else found for found in record.exchanges)
    )


def answer(which: Which, **changes: object) -> Mutation:
    """Sets fields of the exchanges: status, reason, body, failure."""
    return each(which, lambda found: replace(found, **changes))  # type: ignore[arg-type]


def header(which: Which, name: str, value: str | None) -> Mutation:
    """Sets a header, or takes it away."""

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
    return body(of(*purposes, form=AskedFormat.JSON, kind=kind), pattern, new, count)


def xml_body(pattern: str, new: str, *purposes: Purpose, count: int = 0, kind: str = "") -> Mutation:
    """The same in XML answers."""
    return body(of(*purposes, form=AskedFormat.XML, kind=kind), pattern, new, count)


def all_of(*mutations: Mutation) -> Mutation:
    """One after another."""

    def change(record: Recording) -> Recording:
        for mutation in mutations:
            record = mutation(record)
        return record

    return change
