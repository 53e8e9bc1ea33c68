"""The command line: `python -m proxy serve | worker | check | jobs ... | sources ... | keys ... | demo ...`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from adapters.accounts import AccountRegistry
from adapters.errors import ConflictError, StorageError
from proxy.cli.check import check
from proxy.cli.data_sources import give_access_id
from proxy.cli.errors import CommandError
from proxy.cli.keys import NewKeyOptions, add_key, list_keys, revoke_key
from proxy.demo.command import DEFAULT_EMULATOR, demo, write_samples
from proxy.keyring.file import load_keyring
from proxy.observability.logs import configure_logs
from proxy.server.app import storage_options
from proxy.server.run import listen, serve
from proxy.settings import Settings, SettingsError, load_settings
from proxy.unknown_variables import unknown_variables
from proxy.version import PROGRAM, VERSION

FAILED = 1
INTERRUPTED = 130
# What a shell says of a tool that a closed pipe has ended: 128 and the number of SIGPIPE.
PIPE_CLOSED = 141
LONGEST_TIMEOUT = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; gives its exit status. What went wrong is on standard error, a line for each thing."""
    try:
        try:
            return _run_command(arguments)
        finally:  # also where the arguments are wrong, or help was asked for: Python itself would flush too late
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
    except BrokenPipeError:  # the reader of the pipe has closed it
        _drop_output()
        return PIPE_CLOSED
    except OSError as error:
        _drop_output()
        with suppress(OSError):
            print(f"{error.filename or 'standard output'}: {error.strerror}", file=sys.stderr, flush=True)
        return FAILED


def _run_command(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SettingsError as error:
        # A name that is misspelt is often why another one is missing.
        misspelt = (each for each in unknown_variables(os.environ) if each not in str(error))
        print("; ".join([str(error), *misspelt]), file=sys.stderr)
    except CommandError as error:
        print(error, file=sys.stderr)
    except StorageError as fault:
        print(f"storage: {fault} ({fault.fault.value.advice})", file=sys.stderr)
    except ConflictError as error:
        print(f"storage: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def _drop_output() -> None:
    """Lets Python write what is left to nowhere when it ends: it would tell of each stream that takes no more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m proxy", description=__doc__)
    top.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    serving = commands.add_parser("serve", help="the server, from the environment")
    serving.add_argument("--reload", action="store_true", help="start anew when a source file changes")
    serving.set_defaults(run=_serve)

    commands.add_parser("worker", help="do the jobs, from the environment").set_defaults(run=_worker)

    checking = commands.add_parser("check", help="say what is wrong with the settings, the key ring and the storage")
    checking.set_defaults(run=_check)

    showing = commands.add_parser("demo", help="an emulator with sample jobs, and the server")
    showing.add_argument(
        "--emulator-running",
        nargs="?",
        const=DEFAULT_EMULATOR,
        metavar="CONNECTION_STRING",
        help="use an emulator that runs already, on its default ports or at a connection string",
    )
    showing.add_argument(
        "--samples-only", action="store_true", help="write the sample jobs to an emulator that runs already, and end"
    )
    showing.set_defaults(run=_demo)

    jobs = commands.add_parser("jobs", help="write, list and import job rows").add_subparsers(required=True)
    account = argparse.ArgumentParser(add_help=False)
    account.add_argument("--account", help="the account in the key ring; not needed where there is only one")

    putting = jobs.add_parser("put", parents=[account], help="write job rows from lines of JSON")
    putting.add_argument("file", metavar="FILE", help="a path, or - for standard input")
    putting.set_defaults(run=_put)

    listing = jobs.add_parser("list", parents=[account], help="print job rows as lines of JSON")
    listing.set_defaults(run=_list)

    importing = jobs.add_parser("import", parents=[account], help="import a job list saved from Bing")
    importing.add_argument("file", metavar="FILE", help="a saved answer of ListJobs, JSON or XML, or -")
    importing.set_defaults(run=_import)

    sources = commands.add_parser("sources", help="prepare data sources").add_subparsers(required=True)
    giving = sources.add_parser("access-id", parents=[account], help="keep an access id for a data source's first load")
    giving.add_argument("name", metavar="NAME", help="the data source")
    giving.add_argument("access_id", metavar="ID", help="the access id that it has at Bing")
    giving.set_defaults(run=_give_access_id)

    _add_keys(commands)

    judging = commands.add_parser("conformance", help="judge an endpoint by the wire contract, by reading alone")
    judging.add_argument("--base-url", required=True, metavar="URL", help="what stands before /REST/v1/")
    judging.add_argument("--key", required=True, metavar="KEY", help="a master key, or - for standard input")
    judging.add_argument("--query-key", metavar="KEY", help="a query key, or - for the next line of standard input")
    judging.add_argument(
        "--as-documented", action="store_true", help="don't judge what Bing's own documents have otherwise"
    )
    judging.add_argument("--json", action="store_true", help="print the report as JSON")
    judging.add_argument("--ca-file", metavar="FILE", help="certificates to trust beside the system's")
    judging.add_argument(
        "--resolve", action="append", default=[], metavar="HOST[:PORT]:ADDRESS", help="as curl's; repeatable"
    )
    judging.add_argument("--timeout", type=_seconds, default=10, metavar="S", help="seconds for a request")
    judging.set_defaults(run=_conformance)
    return top


def _add_keys(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ring = commands.add_parser("keys", help="edit the key ring file, or make the first one")
    keys = ring.add_subparsers(required=True)

    adding = keys.add_parser("add", help="add a key, read from standard input, by its digest")
    adding.add_argument("--account", required=True, help="the account that it opens")
    adding.add_argument("--name", help="what is shown of it: the program that has the key")
    adding.add_argument("--role", choices=["master", "query"], default="master")
    adding.add_argument("--expires", metavar="TIME", help="when it ends, like 2030-01-01T00:00:00Z")
    adding.add_argument("--data-source", action="append", default=[], metavar="PATTERN", help="only these; repeatable")
    adding.add_argument("--new", action="store_true", help="make a new key and print it, once")
    adding.add_argument("--clear", action="store_true", help="store the key itself, not its digest")
    adding.set_defaults(run=_add_key)

    keys.add_parser("list", help="print the keys by their digests").set_defaults(
        run=lambda _: list_keys(load_settings())
    )
    revoking = keys.add_parser("revoke", help="remove a key")
    revoking.add_argument("digest", metavar="DIGEST", help="the digest's beginning, as `keys list` shows it")
    revoking.set_defaults(run=lambda options: revoke_key(load_settings(), options.digest))


def _serve(options: argparse.Namespace) -> int:
    settings = load_settings(serving=True)
    keyring = load_keyring(settings)  # each worker process reads its own; a mistake is told once, here
    configure_logs(settings.log_level, settings.log_format)
    warnings = unknown_variables(os.environ, keyring.accounts.values())
    return serve(settings, listen(settings), reload=options.reload, warnings=warnings)


def _demo(options: argparse.Namespace) -> int:
    if options.samples_only:
        return write_samples(options.emulator_running or DEFAULT_EMULATOR)
    return demo(options.emulator_running)


# The worker and the commands for jobs bring parsers, Arrow and a progress bar: 60 MB that a server has no use for.


def _worker(_options: argparse.Namespace) -> int:
    from proxy.cli.worker import worker  # noqa: PLC0415 - as said above

    settings = load_settings()
    keyring = load_keyring(settings)
    configure_logs(settings.log_level, settings.log_format)
    return worker(settings, keyring)


def _check(_options: argparse.Namespace) -> int:
    settings = load_settings()
    if unknown := unknown_variables(os.environ, load_keyring(settings).accounts.values()):
        raise SettingsError("; ".join(unknown))
    if not settings.public_url:
        print("PROXY_PUBLIC_URL is not set; serve requires it", file=sys.stderr)
    return _run(settings, lambda accounts: check(accounts, settings.storage_timeout))


def _add_key(options: argparse.Namespace) -> int:
    sources = tuple(options.data_source)
    return add_key(
        load_settings(),
        NewKeyOptions(
            options.account,
            options.role,
            options.expires,
            sources,
            make=options.new,
            clear=options.clear,
            name=options.name,
        ),
    )


def _put(options: argparse.Namespace) -> int:
    from proxy.cli.jobs import put  # noqa: PLC0415 - the same

    return _with_account(options, lambda accounts, name: put(accounts, options.file, name))


def _list(options: argparse.Namespace) -> int:
    from proxy.cli.jobs import list_jobs  # noqa: PLC0415 - the same

    return _with_account(options, list_jobs)


def _import(options: argparse.Namespace) -> int:
    from proxy.cli.jobs import import_jobs  # noqa: PLC0415 - the same

    return _with_account(options, lambda accounts, name: import_jobs(accounts, options.file, name))


def _give_access_id(options: argparse.Namespace) -> int:
    return _with_account(
        options, lambda accounts, name: give_access_id(accounts, name, options.name, options.access_id)
    )


def _conformance(options: argparse.Namespace) -> int:
    from proxy.cli.conformance import conformance  # noqa: PLC0415 - a server judges nobody

    return conformance(options)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ValueError(text)
    return seconds


def _with_account(options: argparse.Namespace, work: Callable[[AccountRegistry, str | None], Awaitable[int]]) -> int:
    return _run(load_settings(), lambda accounts: work(accounts, _known(accounts, options.account)))


def _known(accounts: AccountRegistry, name: str | None) -> str | None:
    if name is not None and name not in accounts.names:
        raise CommandError(f"--account: the key ring has no account {name!r}")
    return name


def _run(settings: Settings, work: Callable[[AccountRegistry], Awaitable[int]]) -> int:
    keyring = load_keyring(settings)
    configure_logs("warning", "text")

    async def run() -> int:
        async with AccountRegistry(keyring.accounts, storage_options(settings)) as accounts:
            return await work(accounts)

    return asyncio.run(run())
