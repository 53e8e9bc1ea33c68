"""Which elements of two lists belong together, and which order counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from proxy.comparison.equality import treat
from proxy.comparison.normalisation import ListRule, member_at


def identify(rule: str, list_rule: ListRule, elements: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """What says which element each is, and how often it came before."""
    seen = Counter[tuple[str, ...]]()
    for each in elements:
        identity = tuple(
            str(treat(f"{rule}.{path}", value)) for path in list_rule.identity for value in (member_at(each, path),)
        )
        yield (*identity, seen[identity])
        seen[identity] += 1


def settle_ties(
    rule: str, list_rule: ListRule, elements: Sequence[Any], keys: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The elements' identities in their order; those that tie are sorted, as their order is open."""
    at = {key: index for index, key in enumerate(identify(rule, list_rule, elements))}
    ordered: list[tuple[Any, ...]] = []
    run: list[tuple[Any, ...]] = []
    last: object = None
    for key in keys:
        tie = tuple(
            str(treat(f"{rule}.{path}", value))
            for path in list_rule.ties
            for value in (member_at(elements[at[key]], path),)
            if value is not None
        )
        if not tie or tie != last:
            ordered += sorted(run, key=str)
            run = []
        run.append(key)
        last = tie
    return ordered + sorted(run, key=str)
