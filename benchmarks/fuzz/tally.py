"""What came of many files, and the processes that try them."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from tempfile import TemporaryFile

from benchmarks.fuzz.trial import Outcome
from tests.support.processes import ROOT

CHUNK = 2_500
MOST_SHOWN = 300

_QUOTED = re.compile(r"'.*'|\".*\"|\d[\d,.]*")
_KIND = 50


@dataclass(slots=True)
class Tally:
    """Counts of files, entities and faults; `wrong` says of each fault the file's number, its kind, and what it is."""

    counts: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    """How often each kind of message was the reason of an Aborted load."""
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0
    slowest: str = ""
    memory_mb: float = 0

    def add(self, number: int, kind: str, outcome: Outcome) -> None:
        """Counts one file."""
        state = "loaded" if outcome.aborted is None else "aborted"
        told = {"files": 1, state: 1, f"{kind}: {state}": 1, "entities": outcome.entities, "failed": outcome.failed}
        self.counts.update(told | {"counted": outcome.is_counted, "compared": outcome.is_compared})
        if outcome.aborted is not None:
            self.messages[_QUOTED.sub("_", outcome.aborted)[:_KIND]] += 1
        for fault, what in outcome.wrong:
            self.faults[fault] += 1
            self.wrong.append(f"file {number}, {kind}: {fault}: {what[:MOST_SHOWN]}")
        if outcome.seconds > self.seconds:
            self.seconds, self.slowest = outcome.seconds, f"file {number}, {kind}"

    def join(self, other: "Tally") -> None:
        """Adds what came of other files."""
        self.counts.update(other.counts)
        self.messages.update(other.messages)
        self.faults.update(other.faults)
        self.wrong += other.wrong
        self.memory_mb = max(self.memory_mb, other.memory_mb)
        if other.seconds > self.seconds:
            self.seconds, self.slowest = other.seconds, other.slowest

    def to_json(self) -> str:
        """As `from_json` reads it."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """Reads what another process has written."""
        members = json.loads(text)
        return cls(**members | {name: Counter(members[name]) for name in ("counts", "messages", "faults")})


def tallies(files: int, seed: int, processes: int, memory_mb: int) -> Iterator[Tally]:
    """Tries so many files in processes of their own, some side by side; gives the tally of each process."""
    starts = range(0, files, CHUNK)
    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(partial(_try, files=files, seed=seed, memory_mb=memory_mb), starts)


def _try(first: int, files: int, seed: int, memory_mb: int) -> Tally:
    arguments = [str(first), str(min(files, first + CHUNK)), "--seed", str(seed), "--memory", str(memory_mb)]
    with TemporaryFile() as said:
        command = [sys.executable, "-m", "benchmarks.fuzz", *arguments]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, check=False)
        if not done.returncode:
            return Tally.from_json(done.stdout.decode())
        said.seek(0)
        end = said.read().decode("utf-8", "replace")[-2_000:]
    return Tally(faults=Counter(died=1), wrong=[f"files from {first}: ended with {done.returncode}: {end}"])
