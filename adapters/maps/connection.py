"""One call to Azure Maps: a POST of JSON with a deadline and a bounded answer; each failure has its kind."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
import orjson

from adapters.maps.access import Headers, MapsAccess
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.mapping import MalformedAnswerError, parse_item
from adapters.maps.throttle import Throttle
from adapters.model.geocoding import ItemError

API_VERSION = "2025-01-01"
DEADLINE = 70.0
"""Seconds of one call. Azure Maps itself gives up after 60."""
MAX_ANSWER = 16 * 1024 * 1024
MAX_REFUSAL = 64 * 1024
_BLOCK = 256 * 1024
MAX_INLINE = 256 * 1024
"""Bytes of an answer that are parsed at once. Parsing a longer one, such as a long route, would hold up all others."""

_FAILURES: Mapping[int, MapsFailure] = {
    HTTPStatus.BAD_REQUEST: MapsFailure.REJECTED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: MapsFailure.REJECTED,
    HTTPStatus.REQUEST_TIMEOUT: MapsFailure.TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: MapsFailure.THROTTLED,
}
"""Of HTTP statuses; from 500 on UNAVAILABLE, all others REFUSED."""

_Parsed = TypeVar("_Parsed")


class MapsConnection:
    """Calls of one Azure Maps account.

    Args:
        endpoint: its URL, without a slash at its end.
        access: lets the calls in.
        throttle: learns of the answers.
        deadline: seconds of one call.
    """

    def __init__(self, endpoint: str, access: MapsAccess, throttle: Throttle, deadline: float = DEADLINE) -> None:
        self._endpoint, self._access, self._throttle, self._deadline = endpoint, access, throttle, deadline
        self._session: aiohttp.ClientSession | None = None

    async def check_access(self) -> None:
        """Learns whether calls have a key or a token, without a call.

        Raises:
            MapsError: there is no token.
        """
        await self._access.headers()

    async def post(
        self, path: str, body: dict[str, Any], parse: Callable[[object], _Parsed], language: str = "en-US"
    ) -> _Parsed:
        """Sends one call. After a 401 of a token that was good before, it is sent once more with a new one.

        Args:
            path: the operation, below the endpoint.
            body: JSON.
            parse: makes the result of the parsed JSON; raises MalformedAnswerError.
            language: a language tag.

        Raises:
            MapsError: there is no answer.
        """
        content = orjson.dumps(body)
        headers = await self._access.headers()
        response = await self._send(path, content, headers, language)
        if response.status == HTTPStatus.UNAUTHORIZED and await self._access.renew(headers):
            headers = await self._access.headers()
            response = await self._send(path, content, headers, language)
        if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise self._failure(response)
        self._access.confirm(headers)
        self._throttle.record_success(response.begun)
        content = response.content
        try:
            if len(content) <= MAX_INLINE:
                return parse(orjson.loads(content))
            return await asyncio.to_thread(lambda: parse(orjson.loads(content)))
        except MalformedAnswerError as error:
            raise MapsError(MapsFailure.PARTIAL if error.is_page else MapsFailure.UNAVAILABLE, str(error)) from None
        except ValueError:  # its text may repeat the answer
            raise MapsError(MapsFailure.UNAVAILABLE, "the answer is no JSON") from None

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
        await self._access.close()

    async def _send(self, path: str, content: bytes, access: Headers, language: str) -> "_Response":
        headers = {
            **access,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so that the bound on the answer is one on memory
            "Accept-Language": language,
            "User-Agent": "spatial-data-proxy",
        }
        url = f"{self._endpoint}/{path}?api-version={API_VERSION}"
        if self._session is None:
            self._session = _open_session(self._endpoint)
        begun = time.monotonic()
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._session.post(url, data=content, headers=headers, allow_redirects=False) as answer,
            ):
                is_good = answer.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
                found = await _read(answer, MAX_ANSWER if is_good else MAX_REFUSAL, must_end=is_good)
                return _Response(answer.status, answer.headers, found, begun)
        except TimeoutError:
            raise MapsError(MapsFailure.TIMEOUT, f"nothing within {self._deadline:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # their texts may hold the URL
            raise MapsError(MapsFailure.UNAVAILABLE, f"it can't be reached: {type(error).__name__}") from None

    def _failure(self, response: "_Response") -> MapsError:
        status = response.status
        is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        other = MapsFailure.UNAVAILABLE if is_server_error else MapsFailure.REFUSED
        failure = _FAILURES.get(status, other)
        detail = f"HTTP {status}, {response.code}"
        if failure is MapsFailure.REFUSED:
            member = self._access.member if status in _DENIED else "endpoint"
            detail += f"; look at {member} of the account's maps in the key ring"
        retry_after = response.retry_after
        if failure is MapsFailure.THROTTLED:
            retry_after = self._throttle.record_throttling(retry_after, response.begun)
        return MapsError(failure, detail, retry_after=retry_after, message=response.message)


_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class _Response:
    def __init__(self, status: int, headers: Mapping[str, str], content: bytes, begun: float) -> None:
        self.status, self.headers, self.content, self.begun = status, headers, content, begun

    @property
    def code(self) -> str:
        """The error code, which comes from the network and goes to the log: words only."""
        code = self.headers.get("x-ms-error-code", "")
        return code[:64] if code.isascii() and code.isalnum() else "no error code"

    @property
    def message(self) -> str:
        """The reason of a rejected call, for the client."""
        try:
            document = orjson.loads(self.content)
        except ValueError:
            document = None
        error = document.get("error") if isinstance(document, dict) else None
        found = parse_item({"error": error or {}})
        return found.message if isinstance(found, ItemError) else ""

    @property
    def retry_after(self) -> float | None:
        """The seconds of the header Retry-After; None where there is none that can be read."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:6])
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):  # no date, or one without a zone
            return None


async def _read(answer: aiohttp.ClientResponse, most: int, *, must_end: bool) -> bytes:
    """The body up to a bound.

    Raises:
        MapsError: a body that must end is longer.
    """
    content = bytearray()
    async for piece in answer.content.iter_chunked(_BLOCK):
        content += piece
        if len(content) > most:
            if must_end:
                raise MapsError(MapsFailure.UNAVAILABLE, f"the answer has more than {most} bytes")
            break
    return bytes(content[:most])


def _open_session(endpoint: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=endpoint.startswith("https://"),  # plain http is for loopback, where no proxy belongs
        timeout=aiohttp.ClientTimeout(total=None),
    )
