"""The command line of the proxy: the server, the worker, and the commands of an operator."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pkgutil import resolve_name

from adapters.errors import ConflictError, StorageError
from proxy.cli import arguments, operator_arguments
from proxy.cli.errors import CommandError
from proxy.cli.interrupts import INTERRUPTED
from proxy.operations.errors import OperationError
from proxy.settings import SettingsError
from proxy.unknown_variables import unknown_variables
from proxy.version import PROGRAM, VERSION

FAILED = 1
# The status that a shell reports of a program that a closed pipe has ended: 128 and the number of SIGPIPE.
PIPE_CLOSED = 141

# In the order of the help text.
COMMANDS: tuple[Callable[["arguments.Commands"], None], ...] = (
    arguments.add_serve,
    arguments.add_worker,
    arguments.add_console,
    arguments.add_check,
    arguments.add_demo,
    operator_arguments.add_jobs,
    operator_arguments.add_sources,
    operator_arguments.add_workers,
    arguments.add_keys,
    arguments.add_migrate,
    arguments.add_conformance,
    arguments.add_compare,
)


def main(words: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status. Errors are printed on standard error, a line for each.

    Args:
        words: the command and its arguments; by default those of the process.
    """
    try:
        try:
            return _run_command(words)
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


def parser() -> argparse.ArgumentParser:
    """Builds the parser of all commands."""
    top = argparse.ArgumentParser(prog=PROGRAM, description=__doc__, epilog=arguments.ENVIRONMENT)
    top.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return top


def _run_command(words: Sequence[str] | None) -> int:
    options = parser().parse_args(words)
    try:
        return int(resolve_name(options.run)(options))
    except SettingsError as error:
        # A misspelt name is often the reason why another one is missing.
        misspelt = (each for each in unknown_variables(os.environ) if each not in str(error))
        print("; ".join([str(error), *misspelt]), file=sys.stderr)
    except (CommandError, OperationError) as error:
        print(error, file=sys.stderr)
    except StorageError as fault:
        print(f"storage: {fault} ({fault.code.value.hint})", file=sys.stderr)
    except ConflictError as error:
        print(f"storage: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def _drop_output() -> None:
    """Sends unwritten output to the null device: Python would report each closed stream when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)
