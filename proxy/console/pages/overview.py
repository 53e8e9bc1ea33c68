"""The page of how the accounts are: well or not, what goes on, and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from proxy.console.context import console_of
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.operations.account_problems import Level
from proxy.operations.overview import AccountOverview
from proxy.operations.usage_hours import DayUsage

BAR, STEP = 8, 10
"""The width of a bar, and the distance to the next, in the units of a plot."""
REQUESTS_HEIGHT, ERRORS_HEIGHT = 44, 16
"""Requests grow upwards from a line, errors downwards: colour alone tells nothing."""


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of the last day, as paths of SVG; requests and errors have a scale each."""

    requests: str
    errors: str
    most_requests: int
    most_errors: int


def plot_day(day: DayUsage) -> Plot:
    """The plot of a day."""
    requests, errors = [hour.requests for hour in day.hours], [hour.errors for hour in day.hours]
    return Plot(
        _bars(requests, -REQUESTS_HEIGHT),
        _bars(errors, ERRORS_HEIGHT),
        max(requests, default=0),
        max(errors, default=0),
    )


def _bars(counts: Sequence[int], height: int) -> str:
    """Bars from the line at y = REQUESTS_HEIGHT; each that is not 0 can be seen."""
    most = max(counts, default=0)
    sign = 1 if height > 0 else -1
    bars = []
    for place, count in enumerate(counts):
        if count:
            length = sign * max(2, round(abs(height) * count / most))
            bars.append(f"M{place * STEP + 1} {REQUESTS_HEIGHT}v{length}h{BAR}v{-length}z")
    return "".join(bars)


async def show_overview(request: Request) -> Response:
    """Every account, those with problems first."""
    found = await console_of(request).overview.read()
    return render(
        request,
        "overview.html",
        overviews=found,
        summary=_summarize(found),
        plots={name: plot_day(day) for name, day in _days(found)},
        now=datetime.now(UTC),
    )


def _days(found: Sequence[AccountOverview]) -> Iterator[tuple[str, DayUsage]]:
    for each in found:
        if each.parts and each.parts.usage and each.parts.usage.value:
            yield each.name, each.parts.usage.value


def _summarize(found: Sequence[AccountOverview]) -> tuple[str, str]:
    """The sentence above all, and its kind."""
    ill = [each for each in found if each.problems]
    if not ill:
        return ("All is well." if len(found) == 1 else f"All {len(found)} accounts are well."), "notice"
    is_broken = any(problem.level is Level.BROKEN for each in ill for problem in each.problems)
    subject = f"{len(ill)} of {len(found)} accounts" if len(found) > 1 else f"The account {ill[0].name}"
    verb = "need" if len(ill) > 1 else "needs"
    return f"{subject} {verb} attention.", "problem" if is_broken else "warning"


ROUTES = (page("/", show_overview),)
