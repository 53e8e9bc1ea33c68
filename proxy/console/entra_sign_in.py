"""Signs operators in by Microsoft Entra ID."""

import logging
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from adapters.entra.errors import SignInError, SignInFailure
from proxy.console.context import console_of
from proxy.console.entra_access import CALLBACK, PENDING_SECONDS, EntraAccess
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.session_cookie import CookieJar
from proxy.console.sign_in import SIGN_OUT, begin_session, log_refusal, next_page

log = logging.getLogger(__name__)

START = "/sign-in/start"

COOKIE = "console_sign_in"
"""Finds the sign-in under way. Unlike the session's, it comes along when Entra leads the browser back."""

TOO_LATE = "This browser has begun no sign-in, or it took longer than ten minutes. Sign in again."

_STATUS = {SignInFailure.REFUSED: 403, SignInFailure.UNAVAILABLE: 503}


async def show_sign_in(request: Request) -> Response:
    """The page with the link to Entra."""
    return _show_link(request, next_page(request.query_params.get("next")))


async def start(request: Request) -> Response:
    """Leads the browser to Entra."""
    console, access = console_of(request), _access_of(request)
    target = next_page(request.query_params.get("next"))
    try:
        flow = await access.entra.begin(access.url_of(CALLBACK, _host(request)))
    except SignInError as error:
        return _refuse(request, error, target)
    response = Response(status_code=303, headers={"Location": flow.url})
    cookie = access.pending.add(flow, target)
    jar = CookieJar(console.settings, request.scope)
    jar.set(response, COOKIE, cookie, seconds=int(PENDING_SECONDS), is_cross_site=True)
    return response


async def finish(request: Request) -> Response:
    """Begins a session for a person that comes back from Entra and may come in."""
    console, access = console_of(request), _access_of(request)
    jar = CookieJar(console.settings, request.scope)
    pending = access.pending.take(jar.find(COOKIE))
    if pending is None:
        return _refuse(request, SignInError(SignInFailure.REFUSED, TOO_LATE, "no sign-in was under way"), "/")
    try:
        person = await access.entra.finish(pending.flow, dict(request.query_params))
    except SignInError as error:
        return _refuse(request, error, pending.target)
    # A redirect would still count as one from Entra's site, and the browser would leave the session's cookie at home.
    response = render(request, "signed_in.html", target=pending.target)
    response.headers["Refresh"] = f"0; url={pending.target}"
    jar.delete(response, COOKIE)
    begin_session(request, response, str(person))
    return response


def _refuse(request: Request, error: SignInError, target: str) -> Response:
    log_refusal(request, error.reason)
    return _show_link(request, target, status=_STATUS[error.failure], error=str(error))


def _show_link(request: Request, target: str, *, status: int = 200, error: str | None = None) -> Response:
    link = _access_of(request).url_of(f"{START}?next={quote(target, safe='')}", _host(request))
    return render(request, "sign_in_entra.html", status=status, link=link, error=error)


def _host(request: Request) -> str:
    return request.headers["host"].lower()


def _access_of(request: Request) -> EntraAccess:
    access = console_of(request).access
    if not isinstance(access, EntraAccess):
        raise TypeError("the console does not sign in by Entra")
    return access


ROUTES = (page("/sign-in", show_sign_in), page(START, start), page(CALLBACK, finish), SIGN_OUT)
