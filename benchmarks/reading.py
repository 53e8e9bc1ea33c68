"""What a status costs when nothing is remembered, beside the least that reads the same row, and the SDK."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableSasPermissions, generate_table_sas

from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY
from benchmarks.apps import ACCOUNT, CONNECTION_STRING, ROW_URL, TABLE
from benchmarks.figures import Figure
from benchmarks.polling import measured, ratios, status_of
from benchmarks.rows import write_jobs
from benchmarks.servers import proxy, stand_in
from tests.support.storage import Storage

ROWS = 2_000


def reading(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """Rates as ratios to a bare aiohttp handler's, and to a handler's that makes one SDK call."""
    ids = write_jobs(storage, ROWS, newest_hours=1)
    random.Random(1).shuffle(ids)  # noqa: S311 - no secret; neighbours would be shared reads
    variables = {
        ROW_URL: row_url(storage),
        CONNECTION_STRING: storage.connection_string,
        TABLE: storage.table_name,
        ACCOUNT: storage.account,
    }
    with ExitStack() as stack:
        port, _ = stack.enter_context(proxy(storage, pending_ttl=0, finished_ttl=0))
        rows = [f"/?row={each}" for each in ids]
        outcomes = measured(
            {
                "proxy": (port, [status_of(each) for each in ids]),
                "aiohttp": (stack.enter_context(stand_in("aiohttp", variables=variables)), rows),
                "sdk": (stack.enter_context(stand_in("sdk", variables=variables)), rows),
            },
            rounds,
            seconds,
        )
    yield Figure("every request reads storage", ratios(outcomes, "rate", "aiohttp")["proxy"], "of aiohttp's", 0.9)
    yield Figure("the same", ratios(outcomes, "rate", "sdk")["proxy"], "times the SDK's", at_least=2)


def row_url(storage: Storage, table: str = "") -> str:
    """A row's URL with a signature; `{}` is the row's key. The table is the one of jobs unless another is named."""
    table = table or storage.table_name
    end = datetime.now(UTC) + timedelta(hours=1)
    key = AzureNamedKeyCredential(EMULATOR_ACCOUNT, EMULATOR_KEY)
    signature = generate_table_sas(key, table, permission=TableSasPermissions(read=True), expiry=end)
    return f"{storage.table.url}/{table}(PartitionKey='{storage.account}',RowKey='{{}}')?{signature}"
