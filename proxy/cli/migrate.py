"""The command `migrate`: copies an account from the service into the account's own storage, and compares both."""

import csv
import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from adapters.accounts import AccountRegistry
from adapters.tables.audit_rows import AuditEntry
from proxy.cli.accounts import require_account, run_with_accounts
from proxy.cli.errors import CommandError
from proxy.cli.interrupts import end_at_second_interrupt
from proxy.cli.keys.key_input import read_key_argument
from proxy.cli.migrate_progress import TerminalProgress
from proxy.cli.worker import reader_limits, worker_limits
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.origins import AddressError, tls_context
from proxy.migration.backoff import Backoff
from proxy.migration.errors import MigrationStoppedError
from proxy.migration.migration import Migration, MigrationOptions
from proxy.migration.query_keys import digest_of, read_query_keys
from proxy.migration.report import MigrationReport
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import MigrationState, open_state, write_private
from proxy.migration.target_account import TargetAccount
from proxy.operations.audit import note_change, operator_name
from proxy.settings import Settings, load_settings
from proxy.text import single_line
from proxy.worker.job import WorkerContext
from proxy.worker.reader_pool import ReaderLimits, ReaderPool

INTERRUPTED_LINE = "interrupted; the same command goes on there"


def migrate(options: Namespace) -> int:
    """Runs a migration and prints its report; returns 0 only where both sides are the same.

    Raises:
        CommandError: an argument is wrong, or another run uses the state folder.
    """
    settings = load_settings()
    query_keys = _read_query_keys(options.query_keys)
    key = (read_key_argument(options.key, "Key: ", "--key") or "").strip()
    if not key:
        raise CommandError("--key: there is no key on standard input" if options.key == "-" else "--key: is empty")
    try:
        endpoint = Endpoint(
            options.from_url, key, connect_to=options.connect_to, tls=tls_context(options.ca_file), option="--from"
        )
    except AddressError as error:
        raise CommandError(str(error)) from None

    async def run(accounts: AccountRegistry) -> int:
        name, folder = require_account(accounts, options.account), Path(options.state)
        try:
            with end_at_second_interrupt(INTERRUPTED_LINE), open_state(folder, endpoint.url, name) as state:
                report = await _run(options, settings, accounts, (endpoint, key), state, query_keys)
                print(json.dumps(report.as_json(), indent=2) if options.json else "\n".join(report.as_text()))
                if report.stopped:
                    print(single_line(report.stopped), file=sys.stderr)
                _write_report(report, Path(options.reports) if options.reports else folder)
        except MigrationStoppedError as error:
            raise CommandError(single_line(error)) from None
        except BrokenPipeError:  # the reader of the report has gone
            raise
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}") from None
        return 0 if report.is_good else 1

    try:
        return run_with_accounts(settings, run)
    except KeyboardInterrupt:
        print(INTERRUPTED_LINE, file=sys.stderr)
        raise


async def _run(  # noqa: PLR0913, PLR0917 - what a run is made of
    options: Namespace,
    settings: Settings,
    accounts: AccountRegistry,
    service: tuple[Endpoint, str],
    state: MigrationState,
    query_keys: Mapping[str, str],
) -> MigrationReport:
    endpoint, key = service
    limits = reader_limits(settings)
    readers = ReaderPool(ReaderLimits(limits.memory_mb, limits.seconds, jobs=1))
    context = WorkerContext(worker_limits(settings), state.folder, readers, worker="migrate")
    with TerminalProgress() as progress:
        backoff = Backoff(progress, no_wait=options.no_wait)
        chosen = MigrationOptions(options.data_sources, query_keys, options.dry_run, options.from_proxy)
        target = TargetAccount(accounts[state.account], context, digest_of(key))
        run = Migration(SourceAccount(endpoint, backoff), target, state, chosen, backoff)
        try:
            if not options.dry_run:  # before the first change, since a run may be interrupted
                entry = AuditEntry(operator_name(settings), "migrate", f"from {endpoint.url}")
                await note_change(accounts[state.account], entry)
            await run.run()
        finally:
            await readers.close()
    return run.report


def _read_query_keys(file: str | None) -> Mapping[str, str]:
    if file is None:
        return {}
    try:
        return read_query_keys(Path(file).read_text(encoding="utf-8-sig").splitlines())
    except OSError as error:
        raise CommandError(f"--query-keys: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"--query-keys: {file}: is not UTF-8") from None
    except (ValueError, csv.Error) as error:
        raise CommandError(f"--query-keys: {file}: {error}") from None


def _write_report(report: MigrationReport, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"migrate-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    write_private(file, json.dumps(report.as_json(), indent=2) + "\n")
