"""What becomes of a file: it is loaded as a reader process does it, exported and loaded again, and all is compared."""

import re
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.fuzz.files import Broken
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.parquet import read_entities
from proxy.worker.reader import do
from proxy.worker.reader_tasks import BASE, DATA, EXPORT, FAILURES, VERSION, ExportTask, LoadTask, Task

LIMITS = LoadLimits()
LONGEST_MESSAGE = 2_000

# What a program says of itself; the last is what is said where no reader foresaw it.
PROGRAM = re.compile(
    r"Traceback|[Ii]nternal error|NoneType|\b\w+(Error|Exception)\b|(?:^|[\s(=:])b'[^']*'|codec can't"
    r"|<class|<\w+ object|it is not as its format has it"
)


@dataclass(slots=True)
class Outcome:
    """One file's: the message where the load was Aborted, its counts else, and what was wrong, a word for each kind."""

    seconds: float = 0
    aborted: str | None = None
    entities: int = 0
    failed: int = 0
    is_counted: bool = False
    """Whether its entities were compared with a simple count."""
    is_compared: bool = False
    """Whether what was exported and loaded again was compared."""
    wrong: list[tuple[str, str]] = field(default_factory=list)


def attempt(broken: Broken, folder: Path) -> Outcome:
    """Has a file loaded in this folder, which may hold the files of the one before it."""
    outcome = Outcome()
    for name in (BASE, VERSION, FAILURES, EXPORT):
        (folder / name).unlink(missing_ok=True)
    base = None if broken.base is None else _base(broken.base, broken.form, folder)
    (folder / DATA).write_bytes(broken.data)
    started = time.thread_time()
    answer, counts = _done(LoadTask(str(folder), broken.form, LIMITS.entities, LIMITS.unpacked_bytes, base))
    outcome.seconds = time.thread_time() - started
    lines = _log(folder, outcome)
    if "error" in answer:
        text = str(answer.get("text", answer))
        outcome.aborted = text
        if answer["error"] != "invalid":
            outcome.wrong.append(("unforeseen", text))
        _check_words([text], outcome)
        return outcome
    processed, outcome.failed = counts
    version = _table(folder / VERSION)
    outcome.entities = version.num_rows
    if outcome.failed > len(lines):
        outcome.wrong.append(("uncounted", f"{outcome.failed} failed, {len(lines)} lines in the log"))
    if version.num_rows != answer["done"]["entities"]:
        outcome.wrong.append(("uncounted", f"{version.num_rows} entities, {answer['done']['entities']} told"))
    if base is not None:
        _check_update(broken, folder, version, processed, outcome)
    elif processed != outcome.entities + outcome.failed:
        outcome.wrong.append(("uncounted", f"{processed} read, {outcome.entities} loaded, {outcome.failed} failed"))
    if broken.records is not None:
        outcome.is_counted = True
        if processed != broken.records:
            outcome.wrong.append(("uncounted", f"{processed} read, {broken.records} at a simple count"))
    _check_round_trip(answer["done"]["schema"], version, folder, outcome)
    return outcome


def memory_mb() -> float:
    """The most that this process has had."""
    # Not ru_maxrss: a program begins with that of the process that starts it.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(peak) / 1024


def _done(task: Task) -> tuple[dict[str, Any], tuple[int, int]]:
    counts = [(0, 0)]
    answer = do(asdict(task) | {"kind": task.kind}, lambda *told: counts.append(told))
    return answer, counts[-1]


def _base(data: bytes, form: str, folder: Path) -> str:
    """Loads what is to be updated; gives its schema."""
    (folder / DATA).write_bytes(data)
    answer, _ = _done(LoadTask(str(folder), form, LIMITS.entities, LIMITS.unpacked_bytes, None))
    (folder / VERSION).rename(folder / BASE)
    (folder / FAILURES).unlink()
    return str(answer["done"]["schema"])


def _table(file: Path) -> pa.Table:
    return pa.Table.from_batches(read_entities(file), pa.parquet.read_schema(file).remove_metadata())


def _log(folder: Path, outcome: Outcome) -> list[str]:
    """The lines of the error log."""
    file = folder / FAILURES
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    _check_words(lines, outcome)
    return lines


def _check_words(texts: list[str], outcome: Outcome) -> None:
    for text in texts:
        if PROGRAM.search(text):
            outcome.wrong.append(("words", text[-300:]))
        if len(text) > LONGEST_MESSAGE:
            outcome.wrong.append(("words", f"{len(text)} characters: {text[:300]}"))


def _check_update(broken: Broken, folder: Path, version: pa.Table, processed: int, outcome: Outcome) -> None:
    """An update replaces, adds and deletes what its file says, and leaves the rest as it was."""
    load = Loader(folder / DATA, InputFormat(broken.form), LIMITS, incremental=True)
    key, old = load.entity_type.key, _table(folder / BASE)
    expected = {_there(row)[key.lower()]: row for row in old.to_pylist()}
    read = failed = 0
    for batch in load:
        for row in batch.entities.to_pylist():
            expected[repr(row[key])] = row
        for id_ in batch.deleted:
            expected.pop(repr(id_), None)
        read += batch.entities.num_rows + len(batch.deleted)
        failed += len(batch.failures)
    if (processed, outcome.failed) != (read + failed, failed):
        outcome.wrong.append(("uncounted", f"{processed} read, {outcome.failed} failed; {read} and {failed} expected"))
    found = {_there(row)[key.lower()]: _there(row) for row in version.to_pylist()}
    if found != {id_: _there(row) for id_, row in expected.items()} or len(found) != version.num_rows:
        outcome.wrong.append(("wrong", "the updated version is not what the update says"))


def _there(row: dict[str, Any]) -> dict[str, str]:
    """What is there of an entity, to the bit: no name's letter case matters, and no column that others have."""
    return {name.lower(): repr(value) for name, value in row.items() if value is not None}


def _check_round_trip(schema: str, version: pa.Table, folder: Path, outcome: Outcome) -> None:
    if not version.num_rows:
        return  # an update may delete all, and an empty file is refused
    outcome.is_compared = True
    answer, _ = _done(ExportTask(str(folder), schema, "Fuzz"))
    if answer.get("done", "") is not None:
        outcome.wrong.append(("unforeseen", f"export: {answer}"))
        return
    (folder / EXPORT).rename(folder / DATA)
    answer, counts = _done(LoadTask(str(folder), "xml", LIMITS.entities, LIMITS.unpacked_bytes, None))
    if answer.get("done") is None or answer["done"]["schema"] != schema or counts != (version.num_rows, 0):
        outcome.wrong.append(("wrong", f"what was exported: {answer}, {counts}"))
    elif not _same(_table(folder / VERSION), version):
        outcome.wrong.append(("wrong", "what was exported loads as other entities"))


def _same(left: pa.Table, right: pa.Table) -> bool:
    """To the bit: -0.0 is not 0.0, and a NaN is a NaN."""
    if left.equals(right):
        columns = [column for column in left.columns if pa.types.is_floating(column.type)]
        if not columns:
            return True
    return bool(left.schema == right.schema) and repr(left.to_pydict()) == repr(right.to_pydict())
