"""Routes of pages, which only show, and of changes, whose forms must carry the session's token."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proxy.console.context import session_of
from proxy.console.errors import RequestRefusedError

CSRF = "csrf"
"""The field of forms that holds the session's token."""

PAGE_SECONDS = 30.0
"""The deadline of a request's handler. Files that stream, and those that are being sent, are outside of it."""

MOST_FIELDS = 100

Show = Callable[[Request], Awaitable[Response]]
Apply = Callable[[Request, FormData], Awaitable[Response]]

FORM_EXPIRED = "The form is from another session, or too old. Open the page again and repeat the change."


def page(path: str, show: Show) -> Route:
    """The route of a page or of a part of one."""
    return Route(path, _bounded(show), methods=["GET"])


def change(path: str, apply: Apply) -> Route:
    """The route of a change. `apply` gets the form of a page of the same session."""

    async def apply_form(request: Request) -> Response:
        form = await form_of(request)
        await form.close()  # no change takes a file
        if not session_of(request).is_csrf_token(str(form.get(CSRF, ""))):
            raise RequestRefusedError(FORM_EXPIRED)
        async with asyncio.timeout(PAGE_SECONDS):
            return await apply(request, form)

    return Route(path, apply_form, methods=["POST"])


async def form_of(request: Request) -> FormData:
    """The form that a request carries; files are on disk where they are large."""
    return await request.form(max_files=1, max_fields=MOST_FIELDS)


def _bounded(show: Show) -> Show:
    @wraps(show)
    async def show_in_time(request: Request) -> Response:
        async with asyncio.timeout(PAGE_SECONDS):
            return await show(request)

    return show_in_time
