"""What a rule is, and how what it saw becomes a verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from proxy.conformance.exchanges import Exchange
from proxy.conformance.record import Record


class Outcome(StrEnum):
    """What became of a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that a rule looked at. It shows a whole text, or a part of the answer's body; `wrong` is empty if kept.

    A text here is never cut out of a body: what is cut before it is masked may hide a secret's beginning.
    """

    exchange: Exchange
    shows: str | tuple[int, int]
    wrong: str = ""
    documented: bool = False
    """It is wrong by the contract, and right by a document of Bing's, or by what one prints."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why a rule can't be judged here."""

    reason: str


Judge = Callable[[Record], Iterable[Seen | Unjudged]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the contract. `needs` says what was missing where its judge saw nothing."""

    id: str
    sentence: str
    judge: Judge
    needs: str = "there was no such answer"

    @property
    def section(self) -> int:
        """The contract's section."""
        return int(self.id.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's outcome: how much was looked at, what shows it, and why it was not judged."""

    rule: Rule
    outcome: Outcome
    looked_at: int
    exhibits: tuple[Seen, ...]
    reason: str = ""


EXHIBITS = 3


def verdict(rule: Rule, record: Record, *, as_documented: bool = False) -> Verdict:
    """Broken where anything is wrong; not judged where something stood against it, or nothing was there; else kept.

    With `as_documented`, what is right by a document of Bing's is not judged.
    """
    found = tuple(rule.judge(record))
    seen = tuple(each for each in found if isinstance(each, Seen))
    wrong = tuple(each for each in seen if each.wrong and not (as_documented and each.documented))
    reasons = [each.reason for each in found if isinstance(each, Unjudged)]
    reasons += [each.wrong for each in seen if as_documented and each.documented]
    if wrong:
        return Verdict(rule, Outcome.BROKEN, len(seen), wrong[:EXHIBITS], f"{len(wrong)} of {len(seen)}")
    if reasons or not seen:
        return Verdict(rule, Outcome.NOT_JUDGED, len(seen), (), reasons[0] if reasons else rule.needs)
    return Verdict(rule, Outcome.KEPT, len(seen), seen[:1])
