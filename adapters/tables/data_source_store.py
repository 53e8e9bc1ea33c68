"""The data sources of one account: a row each, so that one conditional write switches a data source's version."""

from collections.abc import Awaitable, Callable

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from adapters.errors import ConflictError, StorageError
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.sdk_calls import CONFLICTS, TRIES, error_code, storage_call, wait_before
from adapters.tables.data_source_rows import read_data_source, write_data_source
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange, TableReader
from adapters.tables.row_keys import is_key
from adapters.tables.row_warnings import RowWarnings

__all__ = ["TABLE", "DataSource", "DataSourceStore", "DataSourceVersion"]

TABLE = "datasources"

# A row with this property holds a name for a data source that is being made; it has no versions yet.
_RESERVED = "Reserved"


class DataSourceStore:
    """Data source rows in one account's partition.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(self, account: str, reads: TableReader, writes: TableClient, seconds: float) -> None:
        """`seconds` is the longest that one write may take."""
        self._account = account
        self._reads = reads
        self._writes = writes
        self._seconds = seconds
        self._remark = RowWarnings(account)

    async def get(self, name: str) -> DataSource | None:
        """The data source of this name, in any letter case.

        Raises:
            MalformedRowError: there is such a row, but it can't be read.
        """
        return self._read(await self._row(name.lower()))

    async def all(self) -> list[DataSource]:
        """Every data source of the account, in the order of names; rows that can't be read are left out."""
        found = []
        async for page in self._reads.rows(KeyRange(self._account)):
            for row in page:
                try:
                    found.append(self._read(row))
                except MalformedRowError:
                    continue  # told in the log; one bad row never hides the others
        return [source for source in found if source is not None]

    async def change(
        self,
        name: str,
        change: Callable[[DataSource | None], DataSource | None],
        confirm: Callable[[], Awaitable[None]] | None = None,
    ) -> DataSource | None:
        """Changes a data source in one atomic step; makes it where there was none, deletes it for None.

        A new row is made in two steps: a reservation, which nobody sees, and then the data source in its place. So each
        change is a write to the row that was read, and whoever sleeps in between can't bring a deleted one back.

        Args:
            name: the data source's name, in any letter case.
            change: gives the data source as it should be. It is called again where another writer was first, so that
                it may see its own effect. Nothing is written where it gives what it was given.
            confirm: raises where the change is not to be made any more. It is asked between the read and the write:
                what happens after it makes the write fail.

        Returns:
            What is stored now.

        Raises:
            ConflictError: other writers were first each time.
            MalformedRowError: there is such a row, but it can't be read.
        """
        row_key = name.lower()
        for attempt in range(TRIES):
            row = await self._row(row_key)
            before = self._read(row)
            after = change(before)
            if after == before:
                return after
            if row is None:
                assert after is not None  # noqa: S101 - it is not what it was
                await self._reserve(row_key, after)
                continue
            if confirm is not None:
                await confirm()
            if await self._write(row_key, row, after):
                return after
            await wait_before(attempt + 1)
        raise ConflictError("other writers kept changing the data source's row")

    async def fence(self, name: str) -> None:
        """Makes every write to a data source fail whose writer has read its row before now."""
        if not is_key(name.lower()):
            return
        nothing = {"PartitionKey": self._account, "RowKey": name.lower()}
        try:
            async with storage_call(self._seconds):
                await self._writes.update_entity(nothing, UpdateMode.MERGE)  # whatever is there, if it is there
        except StorageError as fault:
            if error_code(fault.__cause__) not in CONFLICTS:  # a missing row needs no fence
                raise

    async def remove_reservations(self) -> None:
        """Deletes reservations. A writer that still needs one makes another."""
        async for page in self._reads.rows(KeyRange(self._account), f"{_RESERVED} eq true"):
            for row in page:
                await self._write(row["RowKey"], row, None)

    async def reach(self) -> None:
        """Asks for a row that does not exist: whether the table answers."""
        await self._reads.row(self._account, "reach")

    async def create_table(self) -> None:
        """Creates the table where it is missing."""
        try:
            async with storage_call(self._seconds):
                await self._writes.create_table()
        except StorageError as fault:
            if not isinstance(fault.__cause__, ResourceExistsError):
                raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._reads.close()
        await self._writes.close()

    async def _row(self, row_key: str) -> Row | None:
        return await self._reads.row(self._account, row_key) if is_key(row_key) else None

    async def _reserve(self, row_key: str, after: DataSource) -> None:
        bare = DataSource(name=after.name, access_id=after.access_id, created=after.created)
        entity = write_data_source(self._account, row_key, bare) | {_RESERVED: True}
        try:
            async with storage_call(self._seconds):
                # A transaction of one: create_entity does not tell its error's code.
                await self._writes.submit_transaction([("create", entity)])
        except StorageError as fault:
            if error_code(fault.__cause__) not in CONFLICTS:
                raise

    async def _write(self, row_key: str, row: Row, after: DataSource | None) -> bool:
        """Whether the row was still as it was read, and is now as it should be."""
        condition = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
        try:
            async with storage_call(self._seconds):
                if after is None:
                    await self._writes.delete_entity(self._account, row_key, **condition)
                else:
                    entity = write_data_source(self._account, row_key, after)
                    await self._writes.update_entity(entity, mode=UpdateMode.REPLACE, **condition)
        except StorageError as fault:
            if error_code(fault.__cause__) in CONFLICTS:
                return False
            raise
        return True

    def _read(self, row: Row | None) -> DataSource | None:
        if row is None or row.get(_RESERVED) is True:
            return None
        try:
            return read_data_source(row, lambda text: self._remark(row, text))
        except MalformedRowError as error:
            self._remark(row, f"data source row can't be used: {error}")
            raise MalformedRowError(f"row {row.get('RowKey')} can't be used: {error}") from None
