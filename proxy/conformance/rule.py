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
    looked_at = broken = 0
    kept, wrong = list[Seen](), list[Seen]()
    unjudged = documented = ""
    for each in rule.judge(record):  # of a long list a rule sees a million things; only what shows it is kept
        if isinstance(each, Unjudged):
            unjudged = unjudged or each.reason
            continue
        looked_at += 1
        if not kept:
            kept.append(each)
        if as_documented and each.documented:
            documented = documented or each.wrong
        elif each.wrong:
            broken += 1
            if broken <= EXHIBITS:
                wrong.append(each)
    if broken:
        return Verdict(rule, Outcome.BROKEN, looked_at, tuple(wrong), f"{broken} of {looked_at}")
    if unjudged or documented or not looked_at:
        return Verdict(rule, Outcome.NOT_JUDGED, looked_at, (), unjudged or documented or rule.needs)
    return Verdict(rule, Outcome.KEPT, looked_at, tuple(kept))
