"""The page of what operators changed."""

from starlette.requests import Request
from starlette.responses import Response

from adapters.model.ticks import PER_SECOND, Ticks
from proxy.console.context import choose_account
from proxy.console.rendering import render
from proxy.console.routing import page

DAYS = {"1": 1, "7": 7, "30": 30, "400": 400}
"""How far back the page may look; rows are deleted after 400 days."""

DEFAULT_DAYS = "30"
MOST_ROWS = 500


async def show_audit(request: Request) -> Response:
    """The changes of an account, the newest first."""
    account = choose_account(request)
    days = request.query_params.get("days", "")
    days = days if days in DAYS else DEFAULT_DAYS
    since = Ticks(account.clock.now() - DAYS[days] * 86_400 * PER_SECOND)
    entries = await account.audit.list_since(since)
    return render(
        request,
        "audit.html",
        account=account.name,
        days=days,
        choices=DAYS,
        entries=entries[: -MOST_ROWS - 1 : -1],
        left_out=max(0, len(entries) - MOST_ROWS),
    )


ROUTES = (page("/audit", show_audit),)
