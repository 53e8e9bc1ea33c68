"""What the stores of job and data source rows share."""

from collections.abc import Awaitable

from azure.data.tables.aio import TableClient

from adapters.instrumentation import NULL_OBSERVER, StorageObserver
from adapters.sdk_calls import CONFLICT_CODES, try_call
from adapters.tables.reader import TableReader
from adapters.tables.row_warnings import RowWarnings


class PartitionStore:
    """The rows of one account's partition. Every method raises StorageError where storage can't answer."""

    def __init__(
        self,
        account: str,
        reads: TableReader,
        writes: TableClient,
        timeout: float,
        observer: StorageObserver = NULL_OBSERVER,
    ) -> None:
        """`timeout` is the longest that one write may take, in seconds."""
        self._observer = observer
        self._account = account
        self._reads = reads
        self._writes = writes
        self._timeout = timeout
        self._warn = RowWarnings(account)

    async def ping(self) -> None:
        """Reads a row that does not exist, to learn whether the table answers."""
        await self._reads.row(self._account, "reach")

    async def create_table(self) -> None:
        """Creates the table where it is missing."""
        await try_call(self._writes.create_table(), self._timeout, {"TableAlreadyExists"})

    async def close(self) -> None:
        """Closes the connections."""
        await self._reads.close()
        await self._writes.close()

    async def _try(self, write: Awaitable[object]) -> bool:
        """Runs a write; False where another writer has changed the row since it was read."""
        return await try_call(write, self._timeout, CONFLICT_CODES)
