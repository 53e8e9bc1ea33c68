"""Damaged files of every input form: what comes of each is a version, failed entities or one clear message."""

import sys
from collections.abc import Iterator

from benchmarks.fuzz.tally import Tally, tallies
from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from proxy.worker.reader_pool import ReaderLimits
from tests.support.storage import Storage

ROW = "fuzz"
FILES = 100_000
PROCESSES = 2
SECONDS = 5.0
SHOWN = 30


def fuzzing(_storage: Storage, *, files: int = FILES, seed: int = 19) -> Iterator[Figure]:
    """So many files; what is wrong with one is told on standard error, with its number."""
    most = ReaderLimits().memory_mb
    tally = Tally()
    for part in tallies(files, seed, PROCESSES, most):
        tally.join(part)
        for line in part.wrong:
            print(line, file=sys.stderr, flush=True)
        print(f"{tally.counts['files']} files", file=sys.stderr, flush=True)
    _tell(tally)
    counts = tally.counts
    yield at_least(ROW, "files", counts["files"], files)
    yield at_least(ROW, "files that loaded, all or some of their entities", counts["loaded"], files // 3)
    yield at_least(ROW, "files that were refused with a reason", counts["aborted"], files // 10)
    yield at_least(ROW, "entities that loaded", counts["entities"], files)
    yield at_least(ROW, "entities that failed with a reason", counts["failed"], files // 4)
    yield at_least(ROW, "files whose entities were counted beside the reader", counts["counted"], files // 10)
    yield at_least(ROW, "files exported, loaded again and compared", counts["compared"], files // 3)
    yield none_of(ROW, "exported and loaded again: other entities", tally.faults["wrong"])
    yield none_of(ROW, "entities lost, or counted otherwise", tally.faults["uncounted"])
    yield none_of(ROW, "faults that nobody foresaw", tally.faults["unforeseen"])
    yield none_of(ROW, "messages in a program's words, or too long", tally.faults["words"])
    yield none_of(ROW, "processes that died or hung", tally.faults["died"])
    yield at_most(ROW, "slowest file, processor time", tally.seconds, SECONDS, "s")
    yield at_most(ROW, "peak of a process's memory", tally.memory_mb, most, "MB")


def _tell(tally: Tally) -> None:
    """Prints the counts by kind of file, and the kinds of messages."""
    for name, count in [*sorted(tally.counts.items()), *tally.messages.most_common(SHOWN)]:
        print(f"{count:8} {name}", file=sys.stderr)
    print(f"slowest: {tally.slowest}", file=sys.stderr, flush=True)
