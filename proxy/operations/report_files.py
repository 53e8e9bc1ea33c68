"""Lists and reads the reports of `migrate` and `compare` in PROXY_REPORTS_DIR. All functions block."""

import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from proxy.operations.errors import OperationError
from proxy.operations.report_models import REPORT, Report

MEGABYTE = 1_000_000

MOST_REPORTS = 100
MOST_BYTES = 20 * MEGABYTE
"""The largest report that is read."""

LIST_BYTES = 20 * MEGABYTE
"""What a list reads of all its reports, the newest first."""

# The names that the commands give, and copies of them. No part of a path is one.
_NAME = re.compile(r"(compare|migrate)-[0-9A-Za-z][0-9A-Za-z._-]{0,79}\.json", re.ASCII)

NO_REPORT = "There is no such report in the folder of PROXY_REPORTS_DIR."
TOO_LARGE = f"The report is larger than {MOST_BYTES // MEGABYTE} MB, so the console does not read it."
NOT_READ_HERE = "Not read for this list: the newer reports are large. Open it."

_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report in the list.

    Args:
        name: its file's name.
        command: the command that made it, by its name.
        size: bytes.
        written: when the file was written last.
        report: its content, where it can be read.
        problem: why it was not read.
    """

    name: str
    command: str
    size: int
    written: datetime
    report: Report | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class ReportList:
    """The newest reports, the newest first, and how many others there are."""

    entries: tuple[ReportEntry, ...]
    left_out: int


def list_reports(folder: Path) -> ReportList:
    """Lists a folder's reports.

    Raises:
        OperationError: the folder can't be read.
    """
    try:
        with os.scandir(folder) as entries:
            reports = [each for each in entries if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
            found = sorted(((each.stat(follow_symlinks=False).st_mtime, each.name) for each in reports), reverse=True)
    except OSError as error:
        raise OperationError(f"PROXY_REPORTS_DIR: {folder}: can't be read: {error.strerror}.") from None
    left, listed = LIST_BYTES, list[ReportEntry]()
    for written, name in found[:MOST_REPORTS]:
        entry, read = _read_entry(folder, name, written, left)
        left -= read
        listed.append(entry)
    return ReportList(tuple(listed), max(0, len(found) - MOST_REPORTS))


def _read_entry(folder: Path, name: str, written: float, most: int) -> tuple[ReportEntry, int]:
    """An entry of the list, and how many bytes were read for it."""
    report, problem, size, read = None, None, 0, 0
    try:
        size = (folder / name).lstat().st_size
        if most < size <= MOST_BYTES:
            problem = NOT_READ_HERE
        else:
            content = read_content(folder, name)
            read = len(content)
            report = parse_report(content)
    except (OperationError, OSError) as error:
        problem = str(error) if isinstance(error, OperationError) else NO_REPORT
    moment = datetime.fromtimestamp(written, UTC)
    return ReportEntry(name, name.partition("-")[0], size, moment, report, problem), read


def read_content(folder: Path, name: str) -> bytes:
    """The bytes of a report.

    Raises:
        OperationError: the folder has no such report, or it is too large or can't be read.
    """
    if not _NAME.fullmatch(name):
        raise OperationError(NO_REPORT)
    try:
        # A link may lead out of the folder, and a pipe would not answer.
        opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OperationError(NO_REPORT)
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OperationError(f"{NO_REPORT[:-1]}: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise OperationError(TOO_LARGE)
    return content


def parse_report(content: bytes) -> Report:
    """Parses a report.

    Raises:
        OperationError: it is none, or one of another version.
    """
    try:
        return REPORT.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(each) for each in first["loc"])
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        shown = "".join(each if each.isprintable() else " " for each in reason[:_MOST_TEXT])
        raise OperationError(f"The file is no report that this version can show: {shown}.") from None
