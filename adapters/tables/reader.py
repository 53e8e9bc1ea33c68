"""Reads of one table, as the JSON that Table Storage sends.

The data-tables SDK turns a whole page of rows into Python objects at once, so one row with an odd value hides all the
others; here each row stays JSON until it is parsed alone. A point read takes 1.2 ms of processor time in azure-core's
pipeline and 0.3 ms in aiohttp, on which that pipeline stands. So requests use aiohttp, with the SDKs' signatures and
tokens.
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
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.credentials.table_auth import TableAuth
from adapters.errors import StorageError, StorageErrorCode, error_from_response
from adapters.instrumentation import NULL_OBSERVER, ObservedCall, StorageObserver, StorageVerb
from adapters.sdk_calls import JITTER, storage_call, translated_errors
from adapters.storage_clock import StorageClock

Json = dict[str, Any]

Continuation = dict[str, str]
"""Where the next page of a range begins, as query parameters; empty for the first page."""

Page = tuple[list[Json], Continuation | None]
"""Rows, and where the next page begins; None after the last one."""

RunPage = Callable[[Callable[[], Awaitable[Page]]], Awaitable[Page]]
"""Runs the read of a page."""

_HEADERS = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "User-Agent": "spatial-data-proxy",
    "x-ms-version": "2019-02-02",
}

# Connections to one account's tables. A request that finds none free waits for one, within its deadline.
CONNECTIONS = 64

# Attempts of one read. The waits between them are short, and random so that many callers don't return together.
ATTEMPTS = 3
LONGEST_WAIT = 0.4

# The part of a read's deadline after which a silent connection counts as dead. The rest is for a retry on another one.
SOCKET_TIMEOUT_FRACTION = 0.75

_TRANSIENT = {
    StorageErrorCode.UNREACHABLE,
    StorageErrorCode.TIMEOUT,
    StorageErrorCode.THROTTLED,
    StorageErrorCode.SERVER_ERROR,
}

# Azure sends the first, the emulator both.
_ROW_NOT_FOUND = {"ResourceNotFound", "EntityNotFound"}


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range of row keys in one partition: from `first`, up to but without `end`; without one, to the last."""

    partition: str
    first: str = ""
    end: str | None = None

    def filter(self) -> str:
        """The OData filter of this range."""
        to_the_last = f"PartitionKey eq {literal(self.partition)} and RowKey ge {literal(self.first)}"
        return to_the_last if self.end is None else f"{to_the_last} and RowKey lt {literal(self.end)}"


@dataclass(frozen=True, slots=True)
class PartitionRange:
    """All rows of the partitions from `first` up to but without `end`."""

    first: str
    end: str

    def filter(self) -> str:
        """The OData filter of this range."""
        return f"PartitionKey ge {literal(self.first)} and PartitionKey lt {literal(self.end)}"


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def error_code(self) -> str | None:
        code: object = self.headers.get("x-ms-error-code")
        if code is None:
            try:
                code = json.loads(self.content)["odata.error"]["code"]
            except (ValueError, TypeError, KeyError, RecursionError):
                return None
        return code if isinstance(code, str) else None

    def error(self) -> StorageError:
        return error_from_response(self.status, self.error_code())

    def body(self) -> Json:
        if self.status != HTTPStatus.OK:
            raise self.error()
        try:
            body = orjson.loads(self.content)
        except ValueError:
            try:  # orjson is faster and stricter; half a surrogate pair in one row must not hide the others
                body = json.loads(self.content)
            except (ValueError, RecursionError):  # broken JSON, broken UTF-8, or brackets without end
                raise _unexpected("the answer is not JSON") from None
        if not isinstance(body, dict):
            raise _unexpected("the answer is no JSON object")
        return body


class TableReader:
    """Point reads and range reads of one table. Every read raises StorageError where storage can't answer."""

    def __init__(
        self, table_url: str, table: str, auth: TableAuth, timeout: float, observer: StorageObserver = NULL_OBSERVER
    ) -> None:
        """`timeout` is the longest that one read takes, in seconds."""
        self._observer = observer
        self._url = f"{table_url}/{table}"
        self._timeout = timeout
        self._auth = auth
        self.clock = StorageClock()
        self.resolver: AbstractResolver | None = None
        """Resolves the host's name; None: in the event loop's threads. Its owner closes it."""
        self._opened: aiohttp.ClientSession | None = None

    async def row(self, partition: str, row_key: str) -> Json | None:
        """One row with its ETag as `odata.etag`, None where there is none."""
        keys = f"PartitionKey={_quoted(partition)},RowKey={_quoted(row_key)}"
        response = await self._get("read", f"{self._url}({keys})", {})
        if response.status == HTTPStatus.NOT_FOUND and response.error_code() in _ROW_NOT_FOUND:
            return None
        row = response.body()
        if row.get("RowKey") != row_key:
            raise _unexpected("the answer is another row")
        return row | {"odata.etag": response.headers.get("ETag", "*")}

    async def rows(
        self,
        keys: KeyRange | PartitionRange,
        where: str = "",
        select: str = "",
        run_page: RunPage | None = None,
        *,
        top: int | None = None,
    ) -> AsyncIterator[list[Json]]:
        """The rows of a range, a page of up to 1,000 at a time, in the order of their keys.

        Args:
            keys: the range.
            where: another OData condition, which storage evaluates.
            select: the properties to send, separated by commas; empty for all.
            run_page: runs the read of each page; None runs it directly.
            top: the rows of a page at most, where 1,000 are too many.
        """
        query = {"$filter": f"{keys.filter()} and {where}" if where else keys.filter()}
        query |= {"$select": select} if select else {}
        query |= {"$top": str(top)} if top else {}
        after: Continuation | None = {}
        while after is not None:
            read = partial(self._page, query, after)
            page, after = await (read() if run_page is None else run_page(read))
            yield page

    async def close(self) -> None:
        """Closes the connections."""
        if self._opened is not None:
            await self._opened.close()

    async def _page(self, query: dict[str, str], after: Continuation) -> Page:
        response = await self._get("list", f"{self._url}()", query | after)
        page = response.body().get("value")
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise _unexpected("the answer is no list of rows")
        partition = response.headers.get("x-ms-continuation-NextPartitionKey")
        row_key = response.headers.get("x-ms-continuation-NextRowKey")
        return page, {"NextPartitionKey": partition, "NextRowKey": row_key or ""} if partition else None

    async def _get(self, verb: StorageVerb, url: str, query: dict[str, str]) -> _Response:
        async with storage_call(self._timeout):
            for left in reversed(range(ATTEMPTS)):
                retry_after = None
                try:
                    with translated_errors():
                        response = await self._send(verb, url, query)
                    if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                        return response
                    error, retry_after = response.error(), response.headers.get("Retry-After")
                except StorageError as raised:
                    error = raised
                # A server that asks for a later retry than ours can't serve this request in time.
                if not left or error.code not in _TRANSIENT or retry_after not in {None, "0"}:
                    raise error
                await asyncio.sleep(JITTER.uniform(0, LONGEST_WAIT / (left + 1)))
        raise AssertionError("unreachable")  # pragma: no cover - the last attempt returns or raises

    async def _send(self, verb: StorageVerb, url: str, query: dict[str, str]) -> _Response:
        with ObservedCall(self._observer, "table", verb) as call:
            auth = await self._auth.current()
            pairs = "&".join(filter(None, (urlencode(query, quote_via=quote), auth.query)))
            # Encoded already: an & in an account's name must not begin another parameter.
            target = URL(f"{url}?{pairs}" if pairs else url, encoded=True)
            async with self._session().get(target, headers=auth.headers, allow_redirects=False) as received:
                response = _Response(received.status, received.headers, await received.read())
            if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                self._auth.invalidate()
            self.clock.observe(response.headers.get("Date"))
            if response.status >= HTTPStatus.BAD_REQUEST:
                call.set_response(response.status, response.error_code())
        return response

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            silence = self._timeout * SOCKET_TIMEOUT_FRACTION
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, resolver=self.resolver),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=silence, sock_read=silence),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Looking proxies up takes a third of a request's time, so only where there are any.
                trust_env=bool(urllib.request.getproxies()),
            )
        return self._opened


def literal(text: str) -> str:
    """An OData string literal: in quotes, with quotes inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    """A literal as it stands in a path."""
    return f"%27{text}%27" if text.isascii() and text.isalnum() else quote(literal(text), safe="")


def _unexpected(text: str) -> StorageError:
    return StorageError(StorageErrorCode.UNEXPECTED_RESPONSE, text)
