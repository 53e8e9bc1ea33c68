"""The commands `sources list` and `sources show`."""

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.accounts import AccountRegistry
from adapters.model.data_sources import DataSourceVersion
from adapters.model.ticks import format_ticks
from proxy.cli.accounts import account_name, require_account, run_with_accounts
from proxy.cli.output import RowPrinter, is_terminal, moment, print_members, to_json
from proxy.operations.source_views import SourceView, VersionState, VersionView, list_sources, show_source
from proxy.settings import load_settings


@dataclass(frozen=True, slots=True)
class _SourceRow:
    account: str
    view: SourceView

    @property
    def published(self) -> DataSourceVersion | None:
        return self.view.of(VersionState.PUBLISHED)


_COLUMNS: Sequence[tuple[str, Callable[[_SourceRow], object]]] = (
    ("ACCOUNT", lambda row: row.account),
    ("NAME", lambda row: row.view.source.name),
    ("ACCESS ID", lambda row: row.view.source.access_id),
    ("ACCESS", lambda row: "public" if row.view.source.is_public else "private"),
    ("VERSIONS", lambda row: len(row.view.versions)),
    ("ENTITIES", lambda row: row.published and row.published.entities),
    ("PUBLISHED", lambda row: row.published and moment(row.published.updated)),
    ("STAGED", lambda row: "yes" if row.view.of(VersionState.STAGED) else None),
    ("DELETING", lambda row: "yes" if row.view.source.deleting else None),
)

_VERSION_COLUMNS: Sequence[tuple[str, Callable[[VersionView], object]]] = (
    ("VERSION", lambda each: each.version.job_id),
    ("STATE", lambda each: each.state),
    ("MADE", lambda each: moment(each.version.updated)),
    ("ENTITIES", lambda each: each.version.entities),
    ("ENTITY TYPE", lambda each: each.version.entity_type),
)


def list_all(options: Namespace) -> int:
    """Prints the data sources of one account or of all: a table on a terminal, lines of JSON in a pipe."""
    rows = RowPrinter(_COLUMNS, lambda row: to_json(_members(row.account, row.view)), options.table)

    async def write(accounts: AccountRegistry) -> int:
        name = account_name(accounts, options.account)
        for each in [name] if name else accounts.names:
            for view in await list_sources(accounts[each]):
                rows.add(_SourceRow(each, view))
        rows.end()
        return 0

    return run_with_accounts(load_settings(), write)


def show(options: Namespace) -> int:
    """Prints a data source with its versions."""

    async def write(accounts: AccountRegistry) -> int:
        name = require_account(accounts, options.account)
        view = await show_source(accounts[name], options.name)
        if not is_terminal():
            versions = [_version_members(each) | _schema_members(each) for each in view.versions]
            print(to_json(_members(name, view) | {"Versions": versions}))
            return 0
        print_members(_members(name, view) | {"Versions": None})
        table: RowPrinter[VersionView] = RowPrinter(_VERSION_COLUMNS, str)
        for each in view.versions:
            table.add(each)
        print()
        table.end()
        return 0

    return run_with_accounts(load_settings(), write)


def _members(account: str, view: SourceView) -> dict[str, Any]:
    source = view.source
    return {
        "Account": account,
        "Name": source.name,
        "AccessId": source.access_id,
        "IsPublic": source.is_public,
        "HasQueryKey": source.query_key is not None,
        "Created": format_ticks(source.created),
        "StagedUntil": None if source.staged_until is None else format_ticks(source.staged_until),
        "Deleting": source.deleting,
        "Versions": [_version_members(each) for each in view.versions],
    }


def _version_members(each: VersionView) -> dict[str, Any]:
    version = each.version
    return {
        "Id": version.job_id,
        "State": each.state.value,
        "EntityType": version.entity_type,
        "Entities": version.entities,
        "Updated": format_ticks(version.updated),
        "Blob": str(version.blob),
    }


def _schema_members(each: VersionView) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):  # a row that others wrote may hold anything
        return {"Schema": json.loads(each.version.schema)}
    return {"Schema": None}
