"""The command `conformance`: judges any endpoint by the wire contract, and changes nothing there."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterable

from tqdm import tqdm

from proxy.cli.errors import CommandError
from proxy.cli.keys import read_key
from proxy.conformance.client import ClientLimits, Target, UnreachableError
from proxy.conformance.collector import survey
from proxy.conformance.redaction import Redactor
from proxy.conformance.report import as_json, as_text, counts
from proxy.conformance.rule import verdict
from proxy.conformance.rules.catalog import RULES
from proxy.conformance.target import AddressError, parse_base_url, parse_resolves, trust


def conformance(options: Namespace) -> int:
    """Asks, judges and prints; gives the exit status, 1 where a rule is broken.

    Raises:
        CommandError: an argument is wrong, or the endpoint can't be asked.
    """
    endpoint = _endpoint(options)
    try:
        # On a terminal only: a long list takes a while, and a log needs no progress.
        with tqdm(desc="asking", unit=" answers", disable=None, leave=False) as asked:
            record = survey(endpoint, asked.update)
    except UnreachableError as error:
        text = Redactor(endpoint.secrets).text(str(error))
        if options.json:
            print(json.dumps({"schema": 1, "error": text}))
        raise CommandError(text) from error
    judging = tqdm(RULES, desc="judging", unit=" rules", disable=None, leave=False)
    verdicts = [verdict(rule, record, as_documented=options.as_documented) for rule in judging]
    base = endpoint.base.url
    if options.json:
        _print([json.dumps(as_json(base, record, verdicts), indent=2)])
    else:
        _print(as_text(base, record, verdicts))
    return 1 if counts(verdicts)["broken"] or record.stopped else 0


def _endpoint(options: Namespace) -> Target:
    key, query_key = _key(options.key, "Key: "), _key(options.query_key, "Query key: ")
    if not key:
        raise CommandError("--key: must not be empty")
    try:
        base = parse_base_url(options.base_url)
        addresses = parse_resolves(options.resolve, base.origin)
        limits = ClientLimits(seconds=options.timeout, all_seconds=max(60 * options.timeout, 1))
        return Target(base, key, query_key or None, addresses, trust(options.ca_file), limits)
    except AddressError as error:
        raise CommandError(str(error)) from error


def _print(lines: Iterable[str]) -> None:
    """Prints in what the terminal can write, for as long as somebody reads."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would write the rest when it ends, and tell of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _key(given: str | None, prompt: str) -> str | None:
    """A key as it was given, or a line of standard input."""
    try:
        found = read_key(prompt) if given == "-" else given
        (found or "").encode()
    except UnicodeError as error:
        raise CommandError("--key, --query-key: must be UTF-8") from error
    return found
