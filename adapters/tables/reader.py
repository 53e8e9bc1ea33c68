"""Reads of one table, as the JSON that Table Storage sends.

The data-tables SDK turns a whole page of rows into Python objects at once, so that one row with an odd value hides all
the others; here a row stays JSON until it is read alone. A point read costs 1.2 ms of processor time in azure-core's
pipeline and 0.9 ms in its transport alone, against 0.3 ms in aiohttp, which is what that transport stands on: so
requests go to aiohttp itself, proved by the SDKs' own signatures and tokens.
"""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from adapters.credentials.table_auth import TableAuth
from adapters.errors import StorageError, StorageErrorCode, error_from_exception, error_from_response
from adapters.instrumentation import UNSEEN, ObservedCall, StorageObserver, StorageVerb
from adapters.sdk_calls import JITTER
from adapters.storage_clock import StorageClock

Json = dict[str, Any]

Continuation = dict[str, str]
"""Where the next page of a range begins, as query parameters; empty for the first page."""

Page = tuple[list[Json], Continuation | None]
"""Rows, and where the next page begins; None after the last one."""

Ask = Callable[[Callable[[], Awaitable[Page]]], Awaitable[Page]]
"""Runs the read of a page."""

_HEADERS = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "User-Agent": "spatial-data-proxy",
    "x-ms-version": "2019-02-02",
}

# Connections to one account's tables; who finds none free waits for one, within the request's deadline.
CONNECTIONS = 64

# Tries of one read. Waits between them are short, and at random so that many callers don't come back together; the
# whole request has a deadline of its own, which ends these too.
TRIES = 3
LONGEST_WAIT = 0.4
_PASSING = {StorageErrorCode.UNREACHABLE, StorageErrorCode.THROTTLED, StorageErrorCode.SERVER_ERROR}


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range of row keys in one partition: from `first`, up to but without `end`; without one, to the last."""

    partition: str
    first: str = ""
    end: str | None = None

    def filter(self) -> str:
        """The OData filter that reads just this range."""
        to_the_last = f"PartitionKey eq {literal(self.partition)} and RowKey ge {literal(self.first)}"
        return to_the_last if self.end is None else f"{to_the_last} and RowKey lt {literal(self.end)}"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


def literal(text: str) -> str:
    """An OData string literal: in quotes, with quotes inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    """A literal as it stands in a path."""
    return f"%27{text}%27" if text.isascii() and text.isalnum() else quote(literal(text), safe="")


class TableReader:
    """Point reads and range reads of one table."""

    def __init__(
        self, table_url: str, table: str, authentication: TableAuth, seconds: float, watch: StorageObserver = UNSEEN
    ) -> None:
        """`seconds` is the longest that one read takes."""
        self._watch = watch
        self._table = table
        self._url = table_url
        self._seconds = seconds
        self._authentication = authentication
        self.clock = StorageClock()
        self._opened: aiohttp.ClientSession | None = None

    async def row(self, partition: str, row_key: str) -> Json | None:
        """One row, None where there is none.

        Raises:
            StorageFaultError: storage could not answer.
        """
        keys = f"PartitionKey={_quoted(partition)},RowKey={_quoted(row_key)}"
        answer = await self._get("read", f"{self._url}/{self._table}({keys})", {})
        if answer.status == HTTPStatus.NOT_FOUND and _error_code(answer) in _ROW_NOT_FOUND:
            return None
        row = _body(answer)
        if row.get("RowKey") != row_key:
            raise StorageError(StorageErrorCode.UNEXPECTED_RESPONSE, "the answer is another row")
        return row | {"odata.etag": answer.headers.get("ETag", "*")}

    async def rows(
        self, keys: KeyRange, where: str = "", select: str = "", ask: Ask | None = None
    ) -> AsyncIterator[list[Json]]:
        """The rows of a range, a page of up to 1,000 at a time, in the order of their row keys.

        Args:
            keys: the range.
            where: an OData condition more, which storage judges.
            select: the properties to send, with commas between; all without.
            ask: reads a page for us; where it is given, each page may take the time of one read.

        Raises:
            StorageFaultError: storage could not answer.
        """
        query = {"$filter": f"{keys.filter()} and {where}" if where else keys.filter()}
        query |= {"$select": select} if select else {}
        after: Continuation | None = {}
        while after is not None:
            read = partial(self._page, query, after)
            page, after = await (read() if ask is None else ask(read))
            yield page

    async def _page(self, query: dict[str, str], after: Continuation) -> Page:
        answer = await self._get("list", f"{self._url}/{self._table}()", query | after)
        page = _body(answer).get("value")
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise StorageError(StorageErrorCode.UNEXPECTED_RESPONSE, "the answer is no list of rows")
        partition = answer.headers.get("x-ms-continuation-NextPartitionKey")
        row_key = answer.headers.get("x-ms-continuation-NextRowKey")
        return page, {"NextPartitionKey": partition, "NextRowKey": row_key or ""} if partition else None

    async def close(self) -> None:
        """Closes the connections."""
        if self._opened is not None:
            await self._opened.close()

    async def _get(self, call: StorageVerb, url: str, query: dict[str, str]) -> _Answer:
        for left in reversed(range(TRIES)):
            try:
                with ObservedCall(self._watch, "table", call) as seen:
                    answer = await self._ask(url, query)
                    if answer.status >= HTTPStatus.BAD_REQUEST:
                        seen.answered(answer.status, _error_code(answer))
                if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return answer
                fault = error_from_response(answer.status, _error_code(answer))
                told = answer.headers.get("Retry-After")
            except Exception as error:  # the transport's and the identity's errors have no common class
                fault, told = error_from_exception(error), None
                if fault.fault not in _PASSING or not left:
                    raise fault from error
            # Who is told to come back later than we would anyway can't be served by this request.
            if not left or fault.fault not in _PASSING or (told is not None and told != "0"):
                raise fault
            await asyncio.sleep(JITTER.uniform(0, LONGEST_WAIT / (left + 1)))
        raise AssertionError("unreachable")  # pragma: no cover - the last try returns or raises

    async def _ask(self, url: str, query: dict[str, str]) -> _Answer:
        proof = await self._authentication.proof()
        pairs = "&".join(filter(None, (urlencode(query, quote_via=quote), proof.query)))
        # Encoded as it is: an & in an account's name must not begin another parameter.
        target = URL(f"{url}?{pairs}" if pairs else url, encoded=True)
        async with self._session().get(target, headers=proof.headers, allow_redirects=False) as response:
            answer = _Answer(response.status, response.headers, await response.read())
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            self._authentication.refused()
        self.clock.observe(answer.headers.get("Date"))
        return answer

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Looking the proxies up costs a third of a request, so only where there are any.
                trust_env=bool(urllib.request.getproxies()),
            )
        return self._opened


# Azure says the first, the emulator both.
_ROW_NOT_FOUND = {"ResourceNotFound", "EntityNotFound"}


def _body(answer: _Answer) -> Json:
    if answer.status != HTTPStatus.OK:
        raise error_from_response(answer.status, _error_code(answer))
    try:
        body = orjson.loads(answer.content)
    except ValueError:
        try:  # orjson is faster and stricter; half a surrogate pair in one row must not hide the others
            body = json.loads(answer.content)
        except (ValueError, RecursionError):  # broken JSON, broken UTF-8, or brackets without end
            raise StorageError(StorageErrorCode.UNEXPECTED_RESPONSE, "the answer is not JSON") from None
    if not isinstance(body, dict):
        raise StorageError(StorageErrorCode.UNEXPECTED_RESPONSE, "the answer is no JSON object")
    return body


def _error_code(answer: _Answer) -> str | None:
    code: object = answer.headers.get("x-ms-error-code")
    if code is None:
        try:
            code = json.loads(answer.content)["odata.error"]["code"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
    return code if isinstance(code, str) else None
