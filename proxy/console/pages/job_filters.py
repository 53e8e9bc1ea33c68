"""The query parameters of the page of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import LAST, PER_SECOND, Ticks, from_datetime, to_datetime
from adapters.tables.row_keys import is_valid_key
from proxy.operations.job_pages import PageStart
from proxy.operations.job_views import JobFilter

LONGEST_FIELD = 200
"""Characters of a parameter that count."""

FIELDS = ("account", "status", "type", "source", "since", "until", "text")

# The seconds that a time stands for, by the length of its text: a day, a minute.
_SPANS = {10: 86_400, 16: 60}

_Member = TypeVar("_Member", JobStatus, JobType)


@dataclass(frozen=True, slots=True)
class JobSearch:
    """What the page is asked for.

    Args:
        account: the account's name; empty: all accounts.
        fields: the filters as they were given, without empty ones.
        filter: which jobs.
        start: where the page begins.
        problems: a sentence for each parameter that is wrong.
    """

    account: str
    fields: Mapping[str, str]
    filter: JobFilter
    start: PageStart
    problems: tuple[str, ...]

    @property
    def since(self) -> str:
        """The start of the time as a browser's field has it."""
        return _field_time(self.filter.since)

    @property
    def until(self) -> str:
        """The end of the time as a browser's field has it."""
        return _field_time(self.filter.until)


def read_search(query: Mapping[str, str]) -> JobSearch:
    """Reads the parameters; unknown ones are ignored."""
    problems: list[str] = []
    fields = {name: query[name].strip()[:LONGEST_FIELD] for name in FIELDS if query.get(name, "").strip()}

    def member(name: str, of: type[_Member]) -> frozenset[_Member]:
        word = fields.get(name)
        found = frozenset(each for each in of if word is not None and each.value.lower() == word.lower())
        if word is not None and not found:
            allowed = ", ".join(each.value for each in of)
            problems.append(f"The {name} {word[:40]!r} is unknown. Known are {allowed}.")
        return found

    def moment(name: str, *, is_end: bool) -> Ticks | None:
        text = fields.get(name)
        if text is None:
            return None
        try:
            begin = from_datetime(_utc(datetime.fromisoformat(text)))
        except (ValueError, OverflowError):
            problems.append(f"{name.capitalize()}: {text[:40]!r} is no time. Write it as 2026-01-31T12:00, in UTC.")
            return None
        end = Ticks(begin + _SPANS.get(len(text), 1) * PER_SECOND - 1)
        return min(end, LAST) if is_end else begin

    def row_key(name: str) -> str | None:
        text = query.get(name, "")
        if not is_valid_key(text):
            problems.append(f"The page begins {name} {text[:40]!r}, which is no row's key. Go back to Jobs.")
            return None
        return text or None

    wanted = JobFilter(
        member("status", JobStatus),
        member("type", JobType),
        fields.get("source"),
        moment("since", is_end=False),
        moment("until", is_end=True),
        fields.get("text", ""),
    )
    before, after = row_key("before"), row_key("after")
    return JobSearch(
        fields.get("account", ""), fields, wanted, PageStart(before, None if before else after), tuple(problems)
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _field_time(moment: Ticks | None) -> str:
    return "" if moment is None else f"{to_datetime(moment):%Y-%m-%dT%H:%M}".rjust(16, "0")
