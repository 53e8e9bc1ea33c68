"""The command `conformance`: judges any endpoint by the wire contract, and changes nothing there."""

import json
from argparse import Namespace

from tqdm import tqdm

from proxy.cli.errors import CommandError
from proxy.cli.keys.key_input import read_key_argument
from proxy.cli.printing import print_lines
from proxy.comparison.origins import AddressError, parse_base_url, parse_resolves, tls_context
from proxy.comparison.redaction import Redactor
from proxy.conformance.client import UnreachableError
from proxy.conformance.collector import collect
from proxy.conformance.report import as_json, as_text
from proxy.conformance.rule import Outcome, evaluate
from proxy.conformance.rules import RULES
from proxy.conformance.target import ClientLimits, Target


def conformance(options: Namespace) -> int:
    """Runs the requests, evaluates the rules and prints the report; returns 1 if a rule fails or the run is incomplete.

    Raises:
        CommandError: an argument is wrong, or the endpoint can't be reached.
    """
    target = _target(options)
    try:
        # `disable=None` shows progress on a terminal only.
        with tqdm(desc="asking", unit=" answers", disable=None, leave=False) as progress:
            recording = collect(target, progress.update)
    except UnreachableError as error:
        text = Redactor(target.secrets).text(str(error))
        if options.json:
            print_lines([json.dumps({"schema": 1, "error": text})])
        raise CommandError(text) from error
    rules = tqdm(RULES, desc="judging", unit=" rules", disable=None, leave=False)
    results = [evaluate(rule, recording, as_documented=options.as_documented) for rule in rules]
    report = as_json(target.base.url, recording, results)
    print_lines([json.dumps(report, indent=2)] if options.json else as_text(report))
    return 1 if report["counts"][Outcome.FAILED] or report["stopped"] else 0


def _target(options: Namespace) -> Target:
    key, query_key = (
        read_key_argument(argument, prompt, "--key, --query-key")
        for argument, prompt in ((options.key, "Key: "), (options.query_key, "Query key: "))
    )
    if not key:
        raise CommandError("--key: must not be empty")
    try:
        base = parse_base_url(options.base_url)
        addresses = parse_resolves(options.resolve, base.origin)
        limits = ClientLimits(timeout=options.timeout, total_seconds=max(60 * options.timeout, 1))
        return Target(base, key, query_key or None, addresses, tls_context(options.ca_file), limits)
    except AddressError as error:
        raise CommandError(str(error)) from error
