"""The console's application: routes and errors."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from adapters.errors import ConflictError, StorageError
from proxy.console import entra_sign_in, sign_in
from proxy.console.context import Console, console_of
from proxy.console.entra_access import EntraAccess
from proxy.console.errors import PageNotFoundError, RequestRefusedError
from proxy.console.pages import (
    audit,
    check,
    job,
    job_changes,
    jobs,
    key_changes,
    keys,
    load,
    overview,
    reports,
    source,
    source_changes,
    source_entities,
    source_map,
    source_query,
    sources,
)
from proxy.console.rendering import render
from proxy.console.request_guard import LIVEZ, RequestGuard
from proxy.operations.errors import OperationError
from proxy.settings import SettingsError

SOURCE_PAGES = (sources, source, source_entities, source_map, source_query, source_changes)
PAGES = (
    overview, jobs, job, job_changes, *SOURCE_PAGES, load, keys, key_changes, check, reports, audit,
)  # fmt: skip

STATIC_SECONDS = 3600

TOO_SLOW = "Storage did not answer in time. Reload the page, or look at Check."


def create_console(console: Console) -> ASGIApp:
    """Creates the application. The caller opens and closes what the console holds."""
    static = _StaticFiles(packages=[("proxy.console", "static")])
    routes = [
        Route(LIVEZ, _live),
        Mount("/static", static),
        *_sign_in_routes(console),
        *(route for module in PAGES for route in module.ROUTES),
    ]
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys((*_STATUS, HTTPException, 500), _describe))
    app.state.console = console
    return RequestGuard(app, console)


def _sign_in_routes(console: Console) -> tuple[Route, ...]:
    """One way in and no other; none where all on this machine may use the console."""
    if console.access is None:
        return ()
    return entra_sign_in.ROUTES if isinstance(console.access, EntraAccess) else sign_in.ROUTES


async def _live(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


_STATUS: Mapping[Any, int] = {
    PageNotFoundError: 404,
    RequestRefusedError: 403,
    OperationError: 409,
    ConflictError: 409,
    StorageError: 503,
    SettingsError: 500,
    TimeoutError: 503,
}


async def _describe(request: Request, error: Exception) -> Response:
    """The page of an error: a sentence, and what to do."""
    known = next((each for each in type(error).__mro__ if each in _STATUS), None)
    status, hint = _STATUS.get(known, 500), None
    if isinstance(error, HTTPException):
        status, text = error.status_code, "There is no such page." if error.status_code == 404 else error.detail  # noqa: PLR2004 - HTTP's number
    elif isinstance(error, StorageError):
        text, hint = f"Storage{_of_account(request)}: {error}.", error.code.value.hint
    elif isinstance(error, TimeoutError):
        text = TOO_SLOW
    elif known is not None:
        text = str(error)
    else:
        text = "The console failed; its log says where. Reload the page."
    return render(request, "error.html", status=status, text=text, hint=hint)


def _of_account(request: Request) -> str:
    """Names the account that a request is about, where it is one of several."""
    names = console_of(request).accounts.names
    name = request.path_params.get("account") or request.query_params.get("account")
    return f" of the account {name}" if len(names) > 1 and name in names else ""


class _StaticFiles(StaticFiles):
    """The console's own files. Their names carry the version in a query, so browsers may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - Starlette's own arguments
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = f"private, max-age={STATIC_SECONDS}"
        return response
