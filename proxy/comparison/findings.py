"""What a comparison of two endpoints found, as it grows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from proxy.comparison.difference import Outcome, Verdict
from proxy.comparison.plan import PlannedQuestion


@dataclass(frozen=True, slots=True)
class Finding:
    """A question whose answers are not the same, and the verdict."""

    question: PlannedQuestion
    verdict: Verdict


@dataclass
class Findings:
    """Counts by what the questions are about, and the findings that are not the same.

    `entities` has for each data source the number of entities of each side, as far as they are known. `copies` are
    the ids of loads that made a copy, which are left out of job lists. `are_both_ours` where
    both sides say that they are this program. `stopped` says why the run ended early.
    """

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    counts: dict[str, Counter[Outcome]] = field(default_factory=dict)
    entities: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)
    copies: frozenset[str] = frozenset()
    are_both_ours: bool = False
    stopped: str = ""
    seconds: float = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, question: PlannedQuestion, verdict: Verdict) -> None:
        """Counts a verdict, and keeps it unless the answers are the same."""
        with self._lock:
            self.counts.setdefault(question.about, Counter())[verdict.outcome] += 1
            if verdict.outcome is not Outcome.SAME:
                self.found.append(Finding(question, verdict))

    def total(self, outcome: Outcome) -> int:
        """How many questions came out so."""
        return sum(each[outcome] for each in self.counts.values())

    @property
    def are_same(self) -> bool:
        """Whether all was compared, and nothing differs."""
        return not self.stopped and not self.found
