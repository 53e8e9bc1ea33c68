"""The page of the settings in force, and of what a check finds."""

import asyncio
import os
from collections.abc import Awaitable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from adapters.account import AccountStorage
from adapters.tables.audit_rows import AuditEntry
from proxy.console.context import Console, account_of, console_of, session_of
from proxy.console.errors import PageNotFoundError
from proxy.console.rendering import is_fragment, render
from proxy.console.routing import change, page
from proxy.operations.audit import note_change
from proxy.operations.checks import MAPS_ITEM, Check, CheckLimits, ask_maps, check_accounts
from proxy.operations.key_store_check import check_key_store
from proxy.operations.query_cache_check import check_query_cache
from proxy.operations.setting_views import list_settings
from proxy.unknown_variables import unknown_variables

MOST_SECONDS = 20.0
"""The longest deadline of a part: the page has one of its own, which must not come first."""

NO_MAPS = "The account has no Azure Maps in the key ring."


async def show_check(request: Request) -> Response:
    """The settings. A second request gets what is found, so that storage that is away does not delay this one."""
    return _render_page(request, None)


async def show_findings(request: Request) -> Response:
    """What is found now: as a part of the page for htmx, else as the whole page."""
    checks = await _check_all(console_of(request))
    if is_fragment(request):
        return render(request, "check_findings.html", checks=checks)
    return _render_page(request, checks)


async def confirm_asking(request: Request) -> Response:
    """Asks before Azure Maps is asked, which is billed."""
    account = _account_with_maps(request)
    return render(
        request,
        "confirm.html",
        title="Test Azure Maps",
        question=f"This looks up {MAPS_ITEM.query}, to see whether Azure Maps accepts the key or the identity."
        " Azure bills one item.",
        details=[("Account", account.name)],
        action=request.url.path,
        fields={},
        word=None,
        button="Send the test request",
        back="/check",
    )


async def ask(request: Request, _form: FormData) -> Response:
    """Asks one item of the account's Azure Maps, and shows the answer."""
    account = _account_with_maps(request)
    found = await ask_maps(account, _seconds(console_of(request)))
    entry = AuditEntry(session_of(request).user, "check --maps", MAPS_ITEM.query or "", after=found.remark)
    await note_change(account, entry)
    return render(request, "check_maps.html", account=account.name, found=found)


def _render_page(request: Request, checks: list[Check] | None) -> Response:
    console = console_of(request)
    return render(
        request,
        "check.html",
        checks=checks,
        settings=list_settings(console.settings),
        warnings=unknown_variables(os.environ, console.ring.keyring.variables),
        with_maps=[name for name in console.ring.keyring.maps if name not in console.accounts.errors],
    )


async def _check_all(console: Console) -> list[Check]:
    settings, seconds, store = console.settings, _seconds(console), console.ring.keyring.key_store
    looks: list[Awaitable[Check]] = []
    if settings.queries:
        looks.append(asyncio.to_thread(check_query_cache, settings.query_cache_mb))
    if store is not None:
        looks.append(check_key_store(store, settings.keys_table, seconds))
    limits = CheckLimits(seconds, seconds, queries=settings.queries, signs_links=False)
    accounts, others = await asyncio.gather(check_accounts(console.accounts, limits), asyncio.gather(*looks))
    return [*accounts, *others]


def _seconds(console: Console) -> float:
    return min(console.settings.storage_timeout, MOST_SECONDS)


def _account_with_maps(request: Request) -> AccountStorage:
    account = account_of(request)
    if not account.has_maps:
        raise PageNotFoundError(NO_MAPS)
    return account


MAPS_PATH = "/accounts/{account}/ask-maps"

ROUTES = (
    page("/check", show_check),
    page("/check/findings", show_findings),
    page(MAPS_PATH, confirm_asking),
    change(MAPS_PATH, ask),
)
