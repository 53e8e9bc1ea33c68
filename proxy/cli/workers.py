"""The command `workers list`."""

from argparse import Namespace

from adapters.accounts import AccountRegistry
from adapters.model.ticks import format_ticks
from proxy.cli.accounts import account_name, run_with_accounts
from proxy.cli.output import RowPrinter, moment, to_json
from proxy.operations.worker_views import WorkerView, list_workers
from proxy.settings import load_settings


def list_all(options: Namespace) -> int:
    """Prints the workers of one account or of all: a table on a terminal, lines of JSON in a pipe."""
    columns = (
        ("ACCOUNT", lambda view: view.account),
        ("WORKER", lambda view: view.row.name),
        ("STATE", lambda view: "alive" if view.is_live else "gone"),
        ("SEEN", lambda view: f"{view.row.age:.0f} s ago"),
        ("STARTED", lambda view: moment(view.row.started)),
        ("VERSION", lambda view: view.row.version),
        ("JOBS", lambda view: len(view.row.jobs)),
    )
    rows: RowPrinter[WorkerView] = RowPrinter(columns, _line, options.table)

    async def write(accounts: AccountRegistry) -> int:
        name = account_name(accounts, options.account)
        for each in [name] if name else accounts.names:
            for view in await list_workers(accounts[each]):
                rows.add(view)
        rows.end()
        return 0

    return run_with_accounts(load_settings(), write)


def _line(view: WorkerView) -> str:
    row = view.row
    return to_json(
        {
            "Account": view.account,
            "Name": row.name,
            "IsLive": view.is_live,
            "AgeSeconds": round(row.age),
            "StartedAt": format_ticks(row.started),
            "Version": row.version,
            "Jobs": row.jobs,
        }
    )
