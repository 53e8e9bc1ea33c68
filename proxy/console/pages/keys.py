"""The page of an account's keys, and of what each was used for. No key is on it: nobody has it but its users."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from adapters.accounts import AccountRegistry
from adapters.errors import StorageError
from adapters.model.key_records import FoundKey
from adapters.model.usage import Usage
from proxy.console.context import choose_account_name, console_of
from proxy.console.key_access import find_place
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.operations.errors import OperationError
from proxy.operations.keys.holder import KeyPlace
from proxy.operations.keys.key_ends import KeyEnd, judge_end
from proxy.operations.keys.key_pages import KeyPage, read_page, search_keys
from proxy.operations.keys.lines import SHOWN_DIGITS
from proxy.operations.keys.usage import USAGE_SECONDS, UsageReport, read_usage
from proxy.operations.reading_time import bound_reading

URL_DIGITS = 16
"""Hex digits of a digest that name a key in the console's URLs."""

MOST_CHARACTERS = 100
"""The longest text to look for."""

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as the page shows it; `usage` is None where it was never used, or where that is not known."""

    found: FoundKey
    usage: Usage | None

    @property
    def end(self) -> KeyEnd:
        """How near its end is."""
        return KeyEnd.FAR if self.found.record is None else judge_end(self.found.record)

    @property
    def digits(self) -> str:
        """The beginning of the digest as it is shown."""
        return self.found.digest[:SHOWN_DIGITS]

    @property
    def name_in_url(self) -> str:
        """The beginning of the digest in URLs; empty where the row key is none."""
        return self.found.digest[:URL_DIGITS] if _DIGEST.fullmatch(self.found.digest) else ""

    @property
    def operations(self) -> list[tuple[str, int]]:
        """Operations with the number of their requests, the most frequent first."""
        counts = {} if self.usage is None else self.usage.operations
        return sorted(((name, counted[0]) for name, counted in counts.items()), key=lambda each: (-each[1], each[0]))


async def show_keys(request: Request) -> Response:
    """A page of keys, with what they were used for in the last 60 days."""
    console, account = console_of(request), choose_account_name(request)
    place = await find_place(console)
    (keys, problem), report = await asyncio.gather(
        _read_keys(request, place, account), _read_usage(console.accounts, account)
    )
    lines = [KeyLine(each, report.of(each)) for each in keys.keys]
    if keys.next is None and not _parameter(request, "after"):  # all of them, so that names can order them
        lines.sort(key=lambda line: ((line.found.record and line.found.record.name) or "\uffff").lower())
    revoked = bool(_parameter(request, "revoked"))
    following = {"account": account, "after": keys.next} | ({"revoked": "1"} if revoked else {})
    return render(
        request,
        "keys.html",
        account=account,
        find=_parameter(request, "find"),
        is_from_start=not _parameter(request, "after"),
        lines=lines,
        next_page=None if keys.next is None else f"/keys?{urlencode(following)}",
        is_store=place.is_store,
        problem=problem,
        refusal=place.find_refusal(),
        revoked=revoked,
        counts_usage=console.settings.usage != "off",
        unknown_usage=report.unread.get(account),
    )


async def _read_keys(request: Request, place: KeyPlace, account: str) -> tuple[KeyPage, str | None]:
    """The keys, or what is wrong with the key store."""
    find, after = _parameter(request, "find"), _parameter(request, "after")
    try:
        async with place.open(changes=False) as keys:
            if find:
                return await search_keys(keys, account, find), None
            after = after if _DIGEST.fullmatch(after) else ""
            return await read_page(keys, account, after, revoked=bool(_parameter(request, "revoked"))), None
    except OperationError as error:
        return KeyPage([]), str(error)


async def _read_usage(accounts: AccountRegistry, account: str) -> UsageReport:
    try:
        async with bound_reading(USAGE_SECONDS):
            return await read_usage(accounts, [account])
    except StorageError as error:
        return UsageReport({}, {account: error})


def _parameter(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()[:MOST_CHARACTERS]


ROUTES = (page("/keys", show_keys),)
