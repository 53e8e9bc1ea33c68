"""Signs operators in and out."""

import logging
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proxy.console.context import Console, console_of
from proxy.console.rendering import URL_CHARACTERS, redirect, render
from proxy.console.routing import form_of
from proxy.console.session_cookie import SESSION, CookieJar
from proxy.console.sessions import SESSION_SECONDS
from proxy.console.token_sign_in import TokenSignIn, TooManyTokensError
from proxy.observability.client import network_of
from proxy.settings import Settings, SettingsError
from proxy.text import single_line

log = logging.getLogger(__name__)

LONGEST_NEXT = 2000
"""Characters of the page that a sign-in leads to."""

WRONG_TOKEN = "The token is not the one of PROXY_CONSOLE_TOKEN_FILE."  # noqa: S105 - a sentence
TOO_MANY = "Too many wrong tokens came from your network. Wait a minute and try again."
UNREADABLE = "The console can't read its own token. Its log says why."


def requires_sign_in(settings: Settings) -> bool:
    """Whether operators sign in. If not, the console listens on loopback only."""
    return settings.console_token_file is not None or settings.console_auth == "entra"


async def show_sign_in(request: Request) -> Response:
    """The form for the token."""
    return _show_form(request, next_page(request.query_params.get("next")))


async def sign_in(request: Request) -> Response:
    """Begins a session where the token is right."""
    console, form = console_of(request), await form_of(request)
    await form.close()  # it takes no file
    target = next_page(str(form.get("next", "")))
    access = _access_of(console)
    given, address = str(form.get("token", "")).strip(), request.client.host if request.client else ""
    try:
        is_right = await access.is_right(given, address)
    except TooManyTokensError:
        log_refusal(request, "too many tokens")
        return _show_form(request, target, status=429, error=TOO_MANY)
    except SettingsError as error:
        log.error("%s", error)  # noqa: TRY400 - one line
        return _show_form(request, target, status=503, error=UNREADABLE)
    if access.take_change():
        console.sessions.end_all()
    if not is_right:
        log_refusal(request, "a wrong token")
        return _show_form(request, target, status=403, error=WRONG_TOKEN)
    response = redirect(target)
    begin_session(request, response, console.operator)
    return response


def begin_session(request: Request, response: Response, user: str) -> None:
    """Begins a session in the place of the client's former one, and adds its cookie to the response."""
    console = console_of(request)
    jar = CookieJar(console.settings, request.scope)
    console.sessions.end(jar.find(SESSION))
    jar.set(response, SESSION, console.sessions.begin(user), seconds=int(SESSION_SECONDS))
    log.info("%s has signed in", single_line(user), extra=_network(request))


def log_refusal(request: Request, reason: str) -> None:
    """Logs a sign-in that failed."""
    log.warning("a sign-in was refused: %s", reason, extra=_network(request))


async def sign_out(request: Request) -> Response:
    """Ends the session; its cookie is worth nothing then."""
    console = console_of(request)
    jar = CookieJar(console.settings, request.scope)
    session = console.sessions.end(jar.find(SESSION))
    response = redirect("/sign-in")
    jar.delete(response, SESSION)
    if session is not None:
        log.info("%s has signed out", single_line(session.user), extra=_network(request))
    return response


def next_page(text: str | None) -> str:
    """A path of the console, as a header carries it; / where the text is none, such as a URL of another host."""
    if not text or len(text) > LONGEST_NEXT or not text.isprintable():
        return "/"
    if not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/"
    return quote(text, safe=URL_CHARACTERS)


def _show_form(request: Request, target: str, *, status: int = 200, error: str | None = None) -> Response:
    return render(request, "sign_in.html", status=status, next=target, error=error)


def _access_of(console: Console) -> TokenSignIn:
    if not isinstance(console.access, TokenSignIn):
        raise TypeError("the console has no token")
    return console.access


def _network(request: Request) -> dict[str, object]:
    return {"network": network_of(request.client.host) if request.client else None}


SIGN_OUT = Route("/sign-out", sign_out, methods=["POST"])
ROUTES = (Route("/sign-in", show_sign_in, methods=["GET"]), Route("/sign-in", sign_in, methods=["POST"]), SIGN_OUT)
