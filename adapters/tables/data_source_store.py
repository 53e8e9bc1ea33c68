"""The data sources of one account: a row each, so that one conditional write switches a data source's version."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.errors import ConflictError
from adapters.model.data_sources import DataSource
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.data_source_rows import read_data_source, write_data_source
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange
from adapters.tables.row_keys import is_valid_key

TABLE = "datasources"

# A row with this property reserves a name while a data source is being created; it has no versions yet.
_RESERVED = "Reserved"


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that is no data source: its row key, and why it can't be used."""

    row_key: str
    reason: str


class DataSourceStore(PartitionStore):
    """Data source rows in one account's partition.

    Methods raise StorageError where storage can't answer, and MalformedRowError where a row can't be read.
    """

    async def get(self, name: str) -> DataSource | None:
        """The data source of this name, in any letter case."""
        return self._read(await self._row(name.lower()))

    async def list_all(self) -> list[DataSource]:
        """Every data source of the account, in the order of names; rows that can't be read are left out."""
        # They are logged already; one bad row never hides the others.
        return [found for found in await self.list_rows() if isinstance(found, DataSource)]

    async def list_rows(self) -> list[DataSource | UnreadableRow]:
        """Every data source of the account in the order of names, and in its place each row that can't be read."""
        found: list[DataSource | UnreadableRow | None] = []
        async for page in self._reads.rows(KeyRange(self._account)):
            for row in page:
                try:
                    found.append(self._read(row))
                except MalformedRowError as error:
                    found.append(UnreadableRow(str(row["RowKey"]), str(error)))
        return [each for each in found if each is not None]

    async def change(
        self,
        name: str,
        change: Callable[[DataSource | None], DataSource | None],
        confirm: Callable[[], Awaitable[None]] | None = None,
    ) -> DataSource | None:
        """Changes a data source in one atomic step; creates a missing one, deletes it where `change` returns None.

        A new row takes two steps: a reservation, which no reader shows, and then the data source in its place. So each
        change writes to the row that was read, and a writer that sleeps in between can't restore a deleted row.

        Args:
            name: the data source's name, in any letter case.
            change: returns the data source as it should be. It is called again after a conflict, and may then find its
                own effect. Nothing is written where it returns its argument unchanged.
            confirm: raises where the change must not be made any more. It runs between the read and the write: what
                happens after it makes the write fail.

        Returns:
            What is stored now.

        Raises:
            ConflictError: other writers were first each time.
        """
        row_key = name.lower()
        for attempt in range(CHANGE_ATTEMPTS):
            row = await self._row(row_key)
            before = self._read(row)
            after = change(before)
            if after == before:
                return after
            if row is None:
                assert after is not None  # noqa: S101 - it differs from `before`, which is None
                await self._reserve(row_key, after)
                continue
            if confirm is not None:
                await confirm()
            if await self._write(row_key, row, after):
                return after
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing the data source's row")

    async def bump_etag(self, name: str) -> None:
        """Gives a data source's row a new ETag, so that every write based on an earlier read fails."""
        if is_valid_key(name.lower()):  # where there is no such row, no write can be based on it
            entity = {"PartitionKey": self._account, "RowKey": name.lower()}
            await self._try(self._writes.update_entity(entity, UpdateMode.MERGE))

    async def remove_reservations(self) -> None:
        """Deletes reservations. A writer that still needs one makes another."""
        async for page in self._reads.rows(KeyRange(self._account), f"{_RESERVED} eq true"):
            for row in page:
                await self._write(row["RowKey"], row, None)

    async def _row(self, row_key: str) -> Row | None:
        return await self._reads.row(self._account, row_key) if is_valid_key(row_key) else None

    async def _reserve(self, row_key: str, after: DataSource) -> None:
        bare = DataSource(name=after.name, access_id=after.access_id, created=after.created)
        entity = write_data_source(self._account, row_key, bare) | {_RESERVED: True}
        # A transaction of one, since the error of `create_entity` has no code.
        await self._try(self._writes.submit_transaction([("create", entity)]))

    async def _write(self, row_key: str, row: Row, after: DataSource | None) -> bool:
        """Writes or deletes a row; False where it has changed since it was read."""
        condition = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
        if after is None:
            return await self._try(self._writes.delete_entity(self._account, row_key, **condition))
        entity = write_data_source(self._account, row_key, after)
        return await self._try(self._writes.update_entity(entity, mode=UpdateMode.REPLACE, **condition))

    def _read(self, row: Row | None) -> DataSource | None:
        if row is None or row.get(_RESERVED) is True:
            return None
        try:
            return read_data_source(row, lambda text: self._warn(row, text))
        except MalformedRowError as error:
            self._warn(row, f"data source row can't be used: {error}")
            raise MalformedRowError(f"row {row.get('RowKey')} can't be used: {error}") from None
