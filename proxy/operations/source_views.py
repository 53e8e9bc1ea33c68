"""Lists data sources, and shows one with its versions."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.account import AccountStorage
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.versions import staged_version
from adapters.tables.data_source_store import UnreadableRow
from adapters.tables.properties import MalformedRowError
from proxy.operations.errors import OperationError


class SourceMissingError(OperationError):
    """The account has no data source of this name."""


class VersionState(StrEnum):
    """What a version is to its data source."""

    PUBLISHED = "published"
    STAGED = "staged"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version and what it is. Its id is that of the job that made it."""

    state: VersionState
    version: DataSourceVersion


@dataclass(frozen=True, slots=True)
class SourceView:
    """A data source with its versions: the published one, the staged one, then the earlier ones, the newest first."""

    source: DataSource
    versions: tuple[VersionView, ...]

    def of(self, state: VersionState) -> DataSourceVersion | None:
        """The first version in this state."""
        return next((each.version for each in self.versions if each.state is state), None)

    def find(self, version_id: str) -> VersionView | None:
        """The version that the job of this id made."""
        return next((each for each in self.versions if each.version.job_id == version_id), None)


async def list_sources(account: AccountStorage) -> list[SourceView]:
    """The account's data sources in the order of names; rows that can't be read are left out."""
    return [found for found in await list_source_rows(account) if isinstance(found, SourceView)]


async def list_source_rows(account: AccountStorage) -> list[SourceView | UnreadableRow]:
    """The account's data sources in the order of names, and in its place each row that can't be read."""
    try:
        rows = await account.data_sources.list_rows()
    except StorageError as error:
        if error.code is not StorageErrorCode.NO_TABLE:
            raise
        return []
    return [row if isinstance(row, UnreadableRow) else _view(account, row) for row in rows]


async def show_source(account: AccountStorage, name: str) -> SourceView:
    """One data source, its name in any letter case.

    Raises:
        SourceMissingError: there is none.
        OperationError: its row can't be read.
    """
    try:
        source = await account.data_sources.get(name)
    except MalformedRowError as error:
        raise OperationError(f"The data source can't be shown: {error}.") from None
    except StorageError as error:
        if error.code is not StorageErrorCode.NO_TABLE:
            raise
        source = None
    if source is None:
        text = f"The account {account.name} has no data source {name[:60]!r}. `sources list` shows them."
        raise SourceMissingError(text)
    return _view(account, source)


def _view(account: AccountStorage, source: DataSource) -> SourceView:
    found = [
        (VersionState.PUBLISHED, source.published),
        (VersionState.STAGED, staged_version(source, account.clock.now())),
        *((VersionState.EARLIER, version) for version in source.earlier),
    ]
    return SourceView(source, tuple(VersionView(state, version) for state, version in found if version is not None))
