"""Which elements of two lists belong together, and which order counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from proxy.comparison.equality import treat
from proxy.comparison.normalisation import ListRule, member_at

Identity = tuple[Any, ...]


def identify(rule: str, list_rule: ListRule, elements: Sequence[Any]) -> list[Identity]:
    """What says which element each is, and how often it came before."""
    paths = [(f"{rule}.{each}", each.split(".")) for each in list_rule.identity]
    seen = Counter[Identity]()
    identities = []
    for each in elements:
        identity = tuple(str(treat(name, member_at(each, path))) for name, path in paths)
        identities.append((*identity, seen[identity]))
        seen[identity] += 1
    return identities


def settle_ties(
    rule: str, list_rule: ListRule, elements: Sequence[Any], positions: Mapping[Identity, int]
) -> list[Identity]:
    """Identities in their order; those that tie are sorted, as their order is open."""
    if not list_rule.ties:
        return list(positions)
    paths = [(f"{rule}.{each}", each.split(".")) for each in list_rule.ties]
    ordered: list[Identity] = []
    run: list[Identity] = []
    last: object = None
    for identity, at in positions.items():
        found = [(name, member_at(elements[at], path)) for name, path in paths]
        tie = tuple(str(treat(name, value)) for name, value in found if value is not None)
        if not tie or tie != last:
            ordered += sorted(run, key=str)
            run = []
        run.append(identity)
        last = tie
    return ordered + sorted(run, key=str)
