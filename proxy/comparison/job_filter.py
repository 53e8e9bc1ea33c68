"""A job list without some of its jobs."""

from typing import Any

from proxy.comparison.trees import Members, Number

_IDS = ("id", "Id")
_TOTALS = ("estimatedTotal", "EstimatedTotal")


def leave_out(tree: Any, ids: frozenset[str]) -> tuple[Any, int]:  # noqa: ANN401 - any tree
    """A job list without these jobs, which then counts fewer; and how many were there."""
    if isinstance(tree, list):
        kept = [leave_out(each, ids) for each in tree if not _is_one_of(each, ids)]
        return [each for each, _ in kept], len(tree) - len(kept) + sum(removed for _, removed in kept)
    if not isinstance(tree, Members):
        return tree, 0
    pairs = [(name, *leave_out(value, ids)) for name, value in tree]
    removed = sum(each[2] for each in pairs)
    return Members((name, _less(value, removed) if name in _TOTALS else value) for name, value, _ in pairs), removed


def _is_one_of(element: object, ids: frozenset[str]) -> bool:
    return isinstance(element, Members) and any(str(element.get(name)).lower() in ids for name in _IDS)


def _less(total: object, removed: int) -> object:
    text = total.text if isinstance(total, Number) else total
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > len("2147483647"):
        return total
    less = str(int(text) - removed)
    return Number(less) if isinstance(total, Number) else less
