"""Reads of one table, as the JSON that Table Storage sends.

The data-tables SDK turns a whole page of rows into Python objects at once, so that one row with an odd value hides all
the others; here a row stays JSON until it is read alone. Everything else is azure-core's own pipeline: transport,
retries, authentication.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from azure.core import AsyncPipelineClient
from azure.core.pipeline.policies import AsyncRetryPolicy, UserAgentPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from adapters.authentication import Authentication
from adapters.errors import Fault, StorageFaultError, fault_of_answer, fault_of_exception

Json = dict[str, Any]

_HEADERS = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "x-ms-version": "2019-02-02",
}


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range of row keys in one partition: from `first`, up to but without `end`."""

    partition: str
    first: str
    end: str

    def filter(self) -> str:
        """The OData filter that reads just this range."""
        return (
            f"PartitionKey eq {literal(self.partition)}"
            f" and RowKey ge {literal(self.first)} and RowKey lt {literal(self.end)}"
        )


def literal(text: str) -> str:
    """An OData string literal: in quotes, with quotes inside doubled."""
    return "'" + text.replace("'", "''") + "'"


class TableReads:
    """Point reads and range reads of one table."""

    def __init__(self, table_url: str, table: str, authentication: Authentication, seconds: float) -> None:
        self._table = table
        self._url = table_url
        self._seconds = seconds
        self._client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            base_url=table_url,
            policies=[
                UserAgentPolicy("spatial-data-proxy"),
                # Short waits: the whole request has a deadline of its own, which ends these too.
                AsyncRetryPolicy(retry_total=2, retry_backoff_factor=0.2, retry_backoff_max=1),
                authentication,
            ],
        )

    async def row(self, partition: str, row_key: str) -> Json | None:
        """One row, None where there is none.

        Raises:
            StorageFaultError: storage could not answer.
        """
        keys = f"PartitionKey={quote(literal(partition), safe='')},RowKey={quote(literal(row_key), safe='')}"
        response = await self._get(f"{self._url}/{self._table}({keys})", {})
        if response.status_code == HTTPStatus.NOT_FOUND and _error_code(response) in _ROW_NOT_FOUND:
            return None
        row = _body(response)
        if row.get("RowKey") != row_key:
            raise StorageFaultError(Fault.NONSENSE, "the answer is another row")
        return row | {"odata.etag": response.headers.get("ETag", "*")}

    async def rows(self, keys: KeyRange) -> AsyncIterator[list[Json]]:
        """The rows of a range, a page of up to 1,000 at a time, in the order of their row keys.

        Raises:
            StorageFaultError: storage could not answer.
        """
        query = {"$filter": keys.filter()}
        while True:
            response = await self._get(f"{self._url}/{self._table}()", query)
            page = _body(response).get("value")
            if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
                raise StorageFaultError(Fault.NONSENSE, "the answer is no list of rows")
            yield page
            partition = response.headers.get("x-ms-continuation-NextPartitionKey")
            row_key = response.headers.get("x-ms-continuation-NextRowKey")
            if not partition:
                return
            query = {"$filter": keys.filter(), "NextPartitionKey": partition, "NextRowKey": row_key or ""}

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _get(self, url: str, query: dict[str, str]) -> AsyncHttpResponse:
        # azure-core puts parameters into the URL as they are: an & in an account's name would begin another one.
        encoded = f"{url}?{urlencode(query, quote_via=quote)}" if query else url
        request = HttpRequest("GET", encoded, headers=_HEADERS)
        try:
            return await self._client.send_request(
                request, connection_timeout=self._seconds, read_timeout=self._seconds
            )
        except Exception as error:  # the pipeline's errors have no common class of their own
            raise fault_of_exception(error) from error


# Azure says the first, the emulator both.
_ROW_NOT_FOUND = {"ResourceNotFound", "EntityNotFound"}


def _body(response: AsyncHttpResponse) -> Json:
    if response.status_code != HTTPStatus.OK:
        raise fault_of_answer(response.status_code, _error_code(response))
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):  # broken JSON, broken UTF-8, or brackets without end
        raise StorageFaultError(Fault.NONSENSE, "the answer is not JSON") from None
    if not isinstance(body, dict):
        raise StorageFaultError(Fault.NONSENSE, "the answer is no JSON object")
    return body


def _error_code(response: AsyncHttpResponse) -> str | None:
    code: object = response.headers.get("x-ms-error-code")
    if code is None:
        try:
            code = json.loads(response.content)["odata.error"]["code"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
    return code if isinstance(code, str) else None
