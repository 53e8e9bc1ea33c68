"""The page of what operators changed."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from proxy.console.context import choose_account
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.operations.audit import ChangeFilter, list_changes

MOST_ROWS = 200
MOST_CHARACTERS = 200


async def show_audit(request: Request) -> Response:
    """The changes of an account, the newest first."""
    account, parameters = choose_account(request), request.query_params
    wanted = ChangeFilter(parameters.get("who", "").strip(), parameters.get("what", "").strip())
    before = parameters.get("before")
    found = await list_changes(account, wanted, before, MOST_ROWS)
    query = {"account": account.name, "who": wanted.who, "what": wanted.what}
    return render(
        request,
        "audit.html",
        account=account.name,
        wanted=wanted,
        entries=found.entries,
        is_first=before is None,
        newest=urlencode(query, errors="replace"),
        older=None if found.older is None else urlencode(query | {"before": found.older}, errors="replace"),
        cut=MOST_CHARACTERS,
    )


ROUTES = (page("/audit", show_audit),)
