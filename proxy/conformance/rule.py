"""What a rule is, and how what it saw becomes a verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from proxy.conformance.exchange import Exchange
from proxy.conformance.recording import Recording


class Outcome(StrEnum):
    """What became of a rule."""

    PASSED = "kept"
    FAILED = "broken"
    SKIPPED = "not judged"


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that a rule looked at. It shows a whole text, or a part of the answer's body; `wrong` is empty if kept.

    A text here is never cut out of a body: what is cut before it is masked may hide a secret's beginning.
    """

    exchange: Exchange
    shows: str | tuple[int, int]
    wrong: str = ""
    documented: bool = False
    """It is wrong by the contract, and right by a document of Bing's, or by what one prints."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a rule can't be judged here."""

    reason: str


Check = Callable[[Recording], Iterable[Observation | Skip]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the contract. `needs` says what was missing where its judge saw nothing."""

    id: str
    sentence: str
    judge: Check
    needs: str = "there was no such answer"

    @property
    def section(self) -> int:
        """The contract's section."""
        return int(self.id.partition(".")[0])


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A rule's outcome: how much was looked at, what shows it, and why it was not judged."""

    rule: Rule
    outcome: Outcome
    looked_at: int
    exhibits: tuple[Observation, ...]
    reason: str = ""


EXHIBITS = 3


def verdict(rule: Rule, record: Recording, *, as_documented: bool = False) -> RuleResult:
    """Broken where anything is wrong; not judged where something stood against it, or nothing was there; else kept.

    With `as_documented`, what is right by a document of Bing's is not judged.
    """
    looked_at = broken = 0
    kept, wrong = list[Observation](), list[Observation]()
    unjudged = documented = ""
    for each in rule.judge(record):  # of a long list a rule sees a million things; only what shows it is kept
        if isinstance(each, Skip):
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
        return RuleResult(rule, Outcome.FAILED, looked_at, tuple(wrong), f"{broken} of {looked_at}")
    if unjudged or documented or not looked_at:
        return RuleResult(rule, Outcome.SKIPPED, looked_at, (), unjudged or documented or rule.needs)
    return RuleResult(rule, Outcome.PASSED, looked_at, tuple(kept))
