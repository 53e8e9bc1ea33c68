"""Signs operators in and out."""

import hmac

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proxy.console.context import console_of
from proxy.console.rendering import redirect, render
from proxy.console.routing import form_of
from proxy.console.sessions import SESSION_SECONDS
from proxy.settings import Settings, SettingsError, variable_name

COOKIE = "console_session"

SHORTEST_TOKEN = 20
"""Characters of a token. Fewer can be guessed."""

WRONG_TOKEN = "The token is not the one of PROXY_CONSOLE_TOKEN_FILE."  # noqa: S105 - a sentence


def requires_sign_in(settings: Settings) -> bool:
    """Whether operators sign in. If not, the console listens on loopback only."""
    return settings.console_token_file is not None or settings.console_auth == "entra"


def read_token(settings: Settings) -> str:
    """The token that signs in.

    Raises:
        SettingsError: its file can't be read, or has a text that is too short.
    """
    path, name = settings.console_token_file, variable_name("console_token_file")
    if path is None:
        raise SettingsError(f"{name}: is not set; set it to a file with the token that signs in")
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path}: can't be read: {error}") from None
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(f"{name}: {path}: has {len(token)} characters; a token has at least {SHORTEST_TOKEN}")
    return token


async def show_sign_in(request: Request) -> Response:
    """The form for the token."""
    return render(request, "sign_in.html", next=_next_page(request.query_params.get("next")), error=None)


async def sign_in(request: Request) -> Response:
    """Begins a session where the token is right."""
    console, form = console_of(request), await form_of(request)
    target = _next_page(str(form.get("next", "")))
    given, token = str(form.get("token", "")).strip(), read_token(console.settings)
    if not hmac.compare_digest(given.encode(), token.encode()):
        return render(request, "sign_in.html", status=403, next=target, error=WRONG_TOKEN)
    return begin_session(request, console.operator, target)


def begin_session(request: Request, user: str, target: str) -> Response:
    """Begins a session, and leads to a page of the console."""
    response = redirect(target)
    response.set_cookie(
        COOKIE,
        console_of(request).sessions.begin(user),
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def sign_out(request: Request) -> Response:
    """Ends the session; its cookie is worth nothing then."""
    await form_of(request)
    console_of(request).sessions.end(request.cookies.get(COOKIE, ""))
    response = redirect("/sign-in")
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _next_page(text: str | None) -> str:
    """A path of the console; / where the text is none, such as a URL of another host."""
    is_path = text is not None and text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if text is not None and is_path else "/"


ROUTES = (
    Route("/sign-in", show_sign_in, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
)
