"""Renders pages from templates. All values are escaped; an unknown name is an error."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.model.ticks import Ticks, to_datetime
from proxy.console.context import console_of, session_of
from proxy.console.navigation import FOR_CHANGES, NAVIGATION
from proxy.operations.durations import describe_seconds
from proxy.version import VERSION

NOTICE = "notice"
"""The query parameter that names one of NOTICES, after a change."""

# What a path with query and fragment may hold as it is; anything else is written as %XX, and %XX stays.
URL_CHARACTERS = "/%:?=&+,;@!$'()*~[]#"

NOTICES: Mapping[str, str] = {
    "retried": "The job is Pending again. A worker takes it within seconds.",
    "aborted": "The job is Aborted. A worker that runs it stops within its heartbeat.",
    "created": "The job is created. This page follows it.",
    "published": "A job that publishes the staged version is created.",
    "rolled-back": "A job that rolls the data source back is created.",
    "access-set": "A job that sets the access is created.",
    "deleted": "A job that deletes it is created.",
    "key-revoked": "The key is revoked.",
}


def _time(moment: Ticks | datetime | None) -> datetime | None:
    if moment is None:
        return None
    return to_datetime(moment) if isinstance(moment, int) else moment.astimezone(UTC)


def _bytes(number: float | None) -> str:
    """A size that people can read, like 3.4 MB."""
    if number is None:
        return ""
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < 1000 or unit == "GB":  # noqa: PLR2004 - the units are powers of it
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError  # pragma: no cover - the loop returns


def _seconds(number: float | None) -> str:
    """A duration that people can read, like 3 min; empty where it is not known."""
    return "" if number is None else describe_seconds(number)


def _count(number: int, noun: str) -> str:
    """A number with its noun, which takes an s as its plural, like 1 error or 1,200 errors."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("proxy.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Callable[..., object]] = {
        "moment": _time,
        "bytes": _bytes,
        "seconds": _seconds,
        "count_of": _count,
        "thousands": lambda number: f"{number:,}",
    }
    found.filters.update(filters)
    found.globals.update(version=VERSION, navigation=NAVIGATION, for_changes=FOR_CHANGES)
    return found


_ENVIRONMENT = _environment()


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Renders a page, or a part of one, as the response to a request.

    Args:
        request: the request.
        template: the template's name.
        status: the status of the response.
        values: what the template shows.
    """
    console = console_of(request)
    text = _ENVIRONMENT.get_template(template).render(
        accounts=console.accounts.names,
        notice=NOTICES.get(request.query_params.get(NOTICE, "")),
        path=request.url.path,
        read_only=console.settings.console_read_only,
        session=session_of(request),
        **values,
    )
    # Rows and schemas of others may hold halves of characters, which have no bytes.
    return HTMLResponse(text.encode(errors="replace"), status)


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of the page that it has."""
    return request.headers.get("HX-Request") == "true"


def redirect(target: str, notice: str | None = None) -> Response:
    """Leads to a page after a change. `target` is a path of the console, `notice` one of NOTICES."""
    if notice is not None:
        target = f"{target}{'&' if '?' in target else '?'}{NOTICE}={notice}"
    return Response(status_code=303, headers={"Location": quote(target, safe=URL_CHARACTERS)})
