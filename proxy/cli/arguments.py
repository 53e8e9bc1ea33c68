"""The arguments of each command.

`run` names the function that does it, as `module:function`. Its module is imported when the command runs, because most
of them load parsers and Arrow: 60 MB that a server has no use for.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.operations.keys.patterns import split_patterns
from proxy.settings import Settings, variable_name

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names no public type

MOST_QUERIES = 10_000
LONGEST_TIMEOUT = 600

ENVIRONMENT = (
    f"Settings are environment variables: {', '.join(map(variable_name, Settings.model_fields))}. PROXY_KEYRING or"
    " PROXY_KEYRING_FILE is required. docs/configuration.md explains each."
)
RING = "PROXY_KEYRING or PROXY_KEYRING_FILE names the accounts."


def add_serve(commands: "Commands") -> None:
    """`serve`: the server."""
    command = commands.add_parser("serve", help="run the server", epilog=ENVIRONMENT)
    command.add_argument("--reload", action="store_true", help="start again when a source file changes")
    command.set_defaults(run="proxy.cli.serve:run_server")


def add_worker(commands: "Commands") -> None:
    """`worker`: does the jobs."""
    command = commands.add_parser("worker", help="do the jobs", epilog=ENVIRONMENT)
    command.set_defaults(run="proxy.cli.worker:run_worker")


def add_console(commands: "Commands") -> None:
    """`console`: the operators' web pages."""
    command = commands.add_parser("console", help="run the operators' web console", epilog=ENVIRONMENT)
    command.set_defaults(run="proxy.cli.console_start:start_console")


def add_check(commands: "Commands") -> None:
    """`check`: judges settings, key ring and storage."""
    command = commands.add_parser(
        "check", help="check the settings, the key ring and the storage", epilog="It reads the variables of `serve`."
    )
    command.add_argument(
        "--maps", action="store_true", help="ask one item of each account's Azure Maps, which is billed"
    )
    command.set_defaults(run="proxy.cli.check:run_check")


def add_demo(commands: "Commands") -> None:
    """`demo`: an emulator with samples, a stand-in of Azure Maps, a server, a worker and the console."""
    command = commands.add_parser(
        "demo",
        help="run an emulator with sample jobs, a stand-in of Azure Maps, a server, a worker and the console",
        epilog="PROXY_PORT chooses the port (8080), and PROXY_CONSOLE_PORT the console's (8090). The data of the demo's"
        " own emulator is gone when it ends.",
    )
    command.add_argument(
        "--emulator",
        nargs="?",
        const="UseDevelopmentStorage=true",
        metavar="CONNECTION_STRING",
        help="use an emulator that already runs: on its default ports, or at this connection string",
    )
    command.add_argument(
        "--samples-only", action="store_true", help="write the samples to an emulator that already runs, and end"
    )
    command.add_argument(
        "--ring-file", type=Path, metavar="FILE", help="write the demo's key ring here, for commands beside it"
    )
    command.set_defaults(run="proxy.demo.command:run_demo")


def add_keys(commands: "Commands") -> None:
    """`keys ...`: the keys of the key store or of the key ring file."""
    keys = add_group(commands, "keys", "edit the key store or the key ring file, or make the first ring")
    epilog = "Where the key ring has a key_store, this works on the store, else on the key ring itself."

    def add(name: str, text: str, run: str) -> argparse.ArgumentParser:
        command = keys.add_parser(name, help=text, epilog=epilog)
        command.set_defaults(run=f"proxy.cli.keys.{run}")
        return command

    command = add("add", "add a key, read from standard input, by its digest", "add:add_key")
    command.add_argument("--account", required=True, help="the account that the key opens")
    command.add_argument("--name", help="a name for lists and logs, such as the program that has the key")
    command.add_argument("--role", choices=["master", "query"], default="master", help="by default master")
    command.add_argument(
        "--data-sources",
        type=split_patterns,
        action="extend",
        metavar="P,P",
        help="only the data sources of these patterns, in which * stands for any text; repeatable",
    )
    command.add_argument("--expires", metavar="TIME", help="when it expires, like 2030-01-01T00:00:00Z")
    command.add_argument("--shadow", action="store_true", help="let a sample of its reads go to PROXY_SHADOW_URL too")
    command.add_argument("--generate", action="store_true", help="generate a new key and print it, once")
    command.add_argument("--plaintext", action="store_true", help="store the key itself; in a key ring file only")
    command = add("list", "print the keys by their digests, a line each", "listing:list_keys")
    command.add_argument("--account", help="only the keys of this account")
    command.add_argument("--all", action="store_true", help="the revoked ones too")
    command.add_argument("--json", action="store_true", help="print lines of JSON")
    command.add_argument("--usage", action="store_true", help="what each key asked for in the last 60 days, too")
    add("show", "print what a key from standard input opens", "listing:show_key")
    command = add("revoke", "revoke a key", "revoking:revoke_key")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("digest", nargs="?", metavar="DIGEST", help="at least 6 digits, as `keys list` shows them")
    which.add_argument("--name", help="the name of the key")
    command = add("reinstate", "take the revocation of a key back", "revoking:reinstate_key")
    command.add_argument("digest", metavar="DIGEST", help="at least 6 digits, as `keys list --all` shows them")
    command = add("import", "add and change the keys of a file", "importing:import_keys")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a key ring, the output of `keys export`, or CSV with the columns key,account,name,role,data_sources,"
        "expires; - for standard input",
    )
    which.add_argument("--from-ring", action="store_true", help="the keys of the ring itself, into its key_store")
    add("export", "print the keys as a key ring's member, by their digests", "listing:export_keys")
    add("prune", "delete the keys that were revoked more than 90 days ago", "revoking:prune_keys")
    for command in keys.choices.values():  # last, as its arguments are listed in this order
        command.add_argument(
            "--wait",
            action="store_true",
            help="repeat what storage refuses, for 30 minutes: a new role may take that long",
        )


def add_migrate(commands: "Commands") -> None:
    """`migrate`: copies an account from the service."""
    command = commands.add_parser(
        "migrate",
        help="copy an account from the service into its own storage, and compare both",
        epilog=f"{RING} HTTPS_PROXY and NO_PROXY are ignored.",
    )
    command.add_argument("--from", dest="from_url", required=True, metavar="URL", help="the part before /REST/v1/")
    command.add_argument("--account", metavar="NAME", help="the account in the key ring; not needed where there is one")
    command.add_argument("--key", required=True, metavar="KEY", help="a master key there, or - for standard input")
    command.add_argument(
        "--data-sources", default="*", metavar="PATTERN", help="only those, where * stands for any text; all jobs"
    )
    command.add_argument("--query-keys", metavar="FILE", help="CSV with the columns data_source,key")
    command.add_argument("--dry-run", action="store_true", help="say what would be copied, with counts and sizes")
    command.add_argument("--no-wait", action="store_true", help="end at a limit of the service in place of waiting")
    command.add_argument("--state", default="migrate-state", metavar="DIR", help="what is done; migrate-state")
    command.add_argument("--reports", metavar="DIR", help="where the report goes as JSON; the state folder")
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    command.add_argument("--connect-to", metavar="ADDRESS", help="the service's address, where its name leads here")
    command.add_argument("--from-proxy", action="store_true", help="copy from another server of this program")
    command.add_argument("--ca-file", metavar="FILE", help="certificates to trust beside the system's")
    command.set_defaults(run="proxy.cli.migrate:migrate")


def add_conformance(commands: "Commands") -> None:
    """`conformance`: judges an endpoint."""
    command = commands.add_parser(
        "conformance",
        help="judge an endpoint by the wire contract; it only reads",
        epilog="No PROXY_ variable is read. HTTPS_PROXY and NO_PROXY are ignored.",
    )
    command.add_argument("--base-url", required=True, metavar="URL", help="the part before /REST/v1/")
    command.add_argument("--key", required=True, metavar="KEY", help="a master key, or - for standard input")
    command.add_argument("--query-key", metavar="KEY", help="a query key, or - for the next line of standard input")
    command.add_argument(
        "--as-documented", action="store_true", help="skip rules where Bing's own documents say otherwise"
    )
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    command.add_argument("--ca-file", metavar="FILE", help="certificates to trust beside the system's")
    command.add_argument(
        "--resolve", action="append", default=[], metavar="HOST[:PORT]:ADDRESS", help="as curl's; repeatable"
    )
    command.add_argument("--timeout", type=_seconds, default=10, metavar="S", help="seconds for a request, at most 600")
    command.set_defaults(run="proxy.cli.conformance:conformance")


def add_compare(commands: "Commands") -> None:
    """`compare`: compares the answers of two endpoints."""
    command = commands.add_parser(
        "compare",
        help="compare the answers of two endpoints; it only reads",
        epilog="No PROXY_ variable is read. HTTPS_PROXY and NO_PROXY are ignored.",
    )
    command.add_argument("--left", required=True, metavar="URL", help="the part before /REST/v1/ of the one side")
    command.add_argument("--right", required=True, metavar="URL", help="that of the other side")
    command.add_argument("--key", required=True, metavar="KEY", help="a master key, or - for standard input")
    command.add_argument(
        "--right-key",
        metavar="KEY",
        help="the right side's, where it differs, or - for the next line of standard input",
    )
    command.add_argument(
        "--queries", type=_count, default=50, metavar="N", help="queries for each data source, 50 where it is not given"
    )
    command.add_argument("--quick", action="store_true", help="read some pages of entities, not all")
    command.add_argument(
        "--data-sources",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only data sources with such names; repeatable",
    )
    command.add_argument("--values", action="store_true", help="show requests and values too")
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    command.add_argument("--html", metavar="FILE", help="write the report as a page too")
    command.add_argument("--reports", default=".", metavar="DIR", help="where the report is kept as JSON")
    command.add_argument(
        "--connect-to",
        action="append",
        default=[],
        metavar="[SIDE=]ADDRESS[:PORT]",
        help="where to connect to in place of what the DNS says; SIDE is left or right, left where it is not given",
    )
    command.add_argument("--ca-file", metavar="FILE", help="certificates to trust beside the system's")
    command.add_argument("--timeout", type=_seconds, default=30, metavar="S", help="seconds for a request, at most 600")
    command.set_defaults(run="proxy.cli.compare:compare")


def add_group(commands: "Commands", name: str, text: str) -> "Commands":
    """A command that has commands of its own."""
    return commands.add_parser(name, help=text).add_subparsers(required=True, metavar="COMMAND")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ValueError(text)
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= MOST_QUERIES:
        raise ValueError(text)
    return count
