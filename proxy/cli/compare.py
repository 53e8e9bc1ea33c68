"""The command `compare`: asks two endpoints the same questions, which only read, and compares the answers."""

import json
import os
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from proxy.cli.errors import CommandError
from proxy.cli.keys.key_input import read_key_argument
from proxy.cli.printing import print_lines
from proxy.comparison.connection import TransportError
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.inventory import UnexpectedAnswerError
from proxy.comparison.origins import AddressError, tls_context
from proxy.comparison.page import as_page
from proxy.comparison.report import as_lines, build_report
from proxy.comparison.run import Comparison, Scope
from proxy.text import single_line

ALL_SAME, NOT_SAME = 0, 1


def compare(options: Namespace) -> int:
    """Compares both sides, prints and saves the report; returns 1 unless all is the same.

    Raises:
        CommandError: an argument is wrong, a side can't be asked, or the report can't be saved.
    """
    keys = _read_keys(options)
    left, right = _endpoints(options, keys)
    scope = Scope(options.queries, not options.quick, tuple(options.data_sources), options.values)
    try:
        # `disable=None` shows progress on a terminal only.
        with tqdm(desc="comparing", unit=" answers", total=0, disable=None, leave=False) as bar:
            findings = Comparison(left, right, scope, _Progress(bar)).run()
    except (TransportError, UnexpectedAnswerError) as error:
        text = single_line(error)
        if options.json:
            print_lines([json.dumps({"schema": 1, "error": text})])
        raise CommandError(text) from error
    report = build_report((left.url, right.url), findings, keys, with_values=options.values)
    name = f"compare-{findings.started_at:%Y%m%dT%H%M%S}Z.json"
    saved = Path(options.reports) / name
    _save(saved, json.dumps(report, indent=2))
    if options.html:
        _save(Path(options.html), as_page(report))
    print_lines(
        [json.dumps(report, indent=2)] if options.json else [*map(single_line, as_lines(report)), f"report: {saved}"]
    )
    return ALL_SAME if report["same"] else NOT_SAME


class _Progress:
    """The run's progress: a bar on a terminal, and a line for each data source in a pipe."""

    def __init__(self, bar: Any) -> None:  # noqa: ANN401 - tqdm has no types
        self._bar = bar

    def plan(self, questions: int) -> None:
        with self._bar.get_lock():
            self._bar.total += questions

    def answer(self) -> None:
        self._bar.update()

    def finish(self, about: str) -> None:
        if self._bar.disable:
            print(f"{single_line(about)}: asked", file=sys.stderr, flush=True)

    def wait(self, url: str, seconds: float) -> None:
        tqdm.write(f"{url} asks for a pause of {seconds:g} s", file=sys.stderr)


def _read_keys(options: Namespace) -> tuple[str, str]:
    key = read_key_argument(options.key, "Key: ", "--key")
    if not key:
        raise CommandError("--key: must not be empty")
    return key, read_key_argument(options.right_key, "Key of the right side: ", "--right-key") or key


def _endpoints(options: Namespace, keys: tuple[str, str]) -> tuple[Endpoint, Endpoint]:
    addresses: dict[str, str] = {}
    for each in options.connect_to:
        side, separator, address = each.partition("=")
        addresses[side if separator else "left"] = address if separator else each
    if unknown := addresses.keys() - {"left", "right"}:
        raise CommandError(
            f"--connect-to: must be ADDRESS, left=ADDRESS or right=ADDRESS, not {single_line(min(unknown)[:40])!r}"
        )
    try:
        tls = tls_context(options.ca_file)
        left, right = (
            Endpoint(url, key, connect_to=addresses.get(side), tls=tls, timeout=options.timeout, option=f"--{side}")
            for side, url, key in (("left", options.left, keys[0]), ("right", options.right, keys[1]))
        )
    except AddressError as error:
        raise CommandError(str(error)) from error
    return left, right


def _save(path: Path, text: str) -> None:
    """Writes a file that only its owner reads; an existing one is replaced as a whole."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise CommandError(f"{path}: {error.strerror}") from error
