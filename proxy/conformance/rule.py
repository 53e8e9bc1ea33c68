"""What a rule is, and how its observations become a result."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from proxy.conformance.exchange import Exchange
from proxy.conformance.recording import Recording

EVIDENCE = 3
NOT_SHOWN = "no job or answer shows it"


class Outcome(StrEnum):
    """The outcome of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Documented(str):
    """A fault by the contract that a document of Bing's states or prints; `--as-documented` skips it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """An item that a rule checks; `wrong` is empty if the item is right.

    `shows` is a whole text or a span of the body: a text cut out of a body could hide the beginning of a secret.
    """

    exchange: Exchange
    shows: str | tuple[int, int] | Callable[[], str]
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a rule can't be checked here."""

    reason: str


Check = Callable[[Recording], Iterable[Observation | Skip]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the contract. `needs` is the reason to skip it if its check observes nothing."""

    id: str
    title: str
    check: Check
    needs: str

    @property
    def section(self) -> int | str:
        """The section: a number of the wire contract, or such as `q2.1` of the query contract."""
        text = self.id.rpartition(".")[0]
        return int(text) if text.isdigit() else text


REGISTERED: list[Rule] = []

_Judge = TypeVar("_Judge")


def rule(
    id_: str, title: str, source: Callable[[_Judge, str], Check], needs: str = NOT_SHOWN
) -> Callable[[_Judge], _Judge]:
    """Registers a function as a rule; `source` says what the function gets, and what its result means."""

    def register(judge: _Judge) -> _Judge:
        REGISTERED.append(Rule(id_, title, source(judge, title), needs))
        return judge

    return register


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A rule's outcome: the number of observations, those that show it, and the reason of a failure or a skip."""

    rule: Rule
    outcome: Outcome
    observed: int
    evidence: tuple[Observation, ...]
    reason: str = ""


def evaluate(rule: Rule, recording: Recording, *, as_documented: bool = False) -> RuleResult:
    """Fails if any observation is wrong; else skips if the rule says so or observes nothing; else passes.

    With `as_documented`, what a document of Bing's has otherwise is skipped.
    """
    observed = failed = 0
    passing, failing = list[Observation](), list[Observation]()
    skipped = documented = ""
    for each in rule.check(recording):  # a million observations for a long list: keep only the evidence
        if isinstance(each, Skip):
            skipped = skipped or each.reason
            continue
        observed += 1
        if as_documented and isinstance(each.wrong, Documented):
            documented = documented or each.wrong
        elif each.wrong:
            failed += 1
            failing += [each] if failed <= EVIDENCE else []
        elif not passing:
            passing.append(each)
    if failed:
        return RuleResult(rule, Outcome.FAILED, observed, tuple(failing), f"{failed} of {observed}")
    if skipped or documented or not observed:
        return RuleResult(rule, Outcome.SKIPPED, observed, (), skipped or documented or rule.needs)
    return RuleResult(rule, Outcome.PASSED, observed, tuple(passing))
