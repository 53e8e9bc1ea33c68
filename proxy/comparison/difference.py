"""Compares two answers to the same request: same, different in these members, or not comparable and why.

Pure and bounded: no body makes it raise, and it keeps at most MAX_DIFFERENCES members.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.equality import are_same_numbers, is_equal
from proxy.comparison.job_filter import leave_out
from proxy.comparison.list_order import identify, settle_ties
from proxy.comparison.normalisation import ERROR_TEXTS, GROWING, LISTS, NUMBER_TYPES, PENDING, drop_own_parts
from proxy.comparison.trees import Members, Number, UnreadableError, read_tree

MAX_DIFFERENCES = 50
MAX_NAME = 80  # characters of a member's name
MAX_VALUE = 300  # characters of a value, around the first that differs

_HEADERS = ("content-type", "content-encoding", "location")
_TRANSIENT = frozenset((AnswerKind.THROTTLED, AnswerKind.UNAVAILABLE, AnswerKind.HTML))


class Question(StrEnum):
    """What was asked, as far as it matters for comparing."""

    JOBS = "jobs"
    INFORMATION = "information"
    METADATA = "metadata"
    QUERY = "query"
    FILE = "file"


class Outcome(StrEnum):
    """What comparing found."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Difference:
    """A member that differs. `path` has names and indexes, and no values; the values are None unless wanted."""

    path: str
    problem: str
    left: str | None = field(default=None, repr=False)
    right: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comparing found. `count` is the number of members that differ, of which the first are kept."""

    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    count: int = 0
    reason: str = ""


def compare_answers(
    kind: Question,
    left: Answer,
    right: Answer,
    *,
    with_values: bool = False,
    without_jobs: frozenset[str] = frozenset(),
) -> Verdict:
    """Compares two answers by the table of what may differ.

    Args:
        kind: what was asked.
        left: the answer of one side.
        right: that of the other.
        with_values: whether differences have the values of both sides.
        without_jobs: ids in lower case of jobs that a job list is compared without.
    """
    for side, answer in (("left", left), ("right", right)):
        kind_of_answer = AnswerKind.HTML if answer.is_html else answer.kind
        if kind_of_answer in _TRANSIENT:
            return not_comparable(f"the {side} side answers HTTP {answer.status}, {kind_of_answer}")
    comparison = _Comparison(with_values, without_jobs)
    comparison.compare_leaf("status", str(left.status), str(right.status))
    for name in _HEADERS:
        comparison.compare_header(name, left, right)
    is_error = left.status >= HTTPStatus.BAD_REQUEST
    if kind is Question.FILE:
        comparison.compare_leaf("(body)", left.body, right.body)
    elif left.status == right.status and not (is_error and kind is Question.QUERY):
        try:
            comparison.compare_bodies(left.body, right.body, is_error=is_error)
        except (UnreadableError, RecursionError) as error:
            if not comparison.count:
                return not_comparable(str(error) if isinstance(error, UnreadableError) else "nested too deeply")
    return comparison.verdict()


def first_difference(left: str, right: str) -> int:
    """The position of the first character that differs."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))


def not_comparable(reason: str) -> Verdict:
    """A verdict that says why there is none."""
    return Verdict(Outcome.NOT_COMPARABLE, reason=reason)


class _Comparison:
    """One comparison, and the differences that it has found."""

    def __init__(self, with_values: bool, without_jobs: frozenset[str]) -> None:  # noqa: FBT001 - the caller's, handed on
        self._with_values = with_values
        self._without_jobs = without_jobs
        self._found: list[Difference] = []
        self._is_error = False
        self.count = 0

    def verdict(self) -> Verdict:
        """What was found."""
        outcome = Outcome.DIFFERENT if self.count else Outcome.SAME
        return Verdict(outcome, tuple(self._found), self.count)

    def compare_header(self, name: str, left: Answer, right: Answer) -> None:
        """Compares a header: of a content type the media type, and the charset where both have one."""
        texts = [each.header(name) for each in (left, right)]
        if name == "content-type":
            types = [_content_type(each) for each in texts]
            if types[0][0] != types[1][0] or (all(each[1] for each in types) and types[0][1] != types[1][1]):
                self._add(f"({name})", "differs", *texts)
        elif name == "location":
            self._compare("(location)", "(location)", *texts)
        else:
            self.compare_leaf(f"({name})", *texts)

    def compare_bodies(self, left: bytes, right: bytes, *, is_error: bool) -> None:
        """Compares two bodies of any form.

        Raises:
            UnreadableError: neither body is JSON or XML.
        """
        self._is_error = is_error
        if left == right or drop_own_parts(left) == drop_own_parts(right):
            return
        if not left or not right:
            self._add("(body)", "is empty on the " + ("left" if not left else "right"), "", "")
            return
        trees = []
        unread: list[tuple[str, UnreadableError]] = []
        for side, body in (("left", left), ("right", right)):
            try:
                tree = read_tree(body)
                trees.append(leave_out(tree, self._without_jobs)[0] if self._without_jobs else tree)
            except UnreadableError as error:
                unread.append((side, error))
        if not unread:
            self._compare("", "", *trees)
        elif trees:
            self._add("(body)", "on the {}: {}".format(*unread[0]), "", "")
        else:
            raise unread[0][1]

    def compare_leaf(self, path: str, left: object, right: object) -> None:
        """Compares two values as they are."""
        if left != right:
            self._add(path, "differs", left, right)

    def _add(self, path: str, problem: str, left: object, right: object) -> None:
        self.count += 1
        if len(self._found) < MAX_DIFFERENCES:
            values = _show_both(left, right) if self._with_values else (None, None)
            shown = path.replace("..", ".").replace(".[", "[").strip(".")
            self._found.append(Difference(shown or "(body)", problem, *values))

    def _compare(self, path: str, rule: str, left: Any, right: Any) -> None:  # noqa: ANN401 - trees
        """Compares two trees. `path` has indexes, `rule` has none."""
        if left == right and type(left) is type(right):
            return
        if self._is_error and rule in ERROR_TEXTS:
            self.compare_leaf(path, bool(left), bool(right))
        elif isinstance(left, Members) and isinstance(right, Members):
            self._compare_members(path, rule, left, right)
        elif isinstance(left, list) and isinstance(right, list):
            self._compare_lists(path, rule, left, right)
        elif not is_equal(rule, left, right):
            is_other_type = type(left) is not type(right)
            self._add(path, "is of another type" if is_other_type else "differs", left, right)

    def _compare_members(self, path: str, rule: str, left: Members, right: Members) -> None:
        growing = GROWING.get(rule, ()) if _is_pending(left) and _is_pending(right) else ()
        are_numbers = left.get("@m:type") in NUMBER_TYPES
        for key, one, other in self._pair_members(path, left, right):
            name = key[0]
            if name not in growing and not (are_numbers and name == "#text" and are_same_numbers(one, other)):
                self._compare(_join(path, _shown(key)), _join(rule, name), one, other)

    def _pair_members(self, path: str, left: Members, right: Members) -> Iterator[tuple[tuple[str, int], Any, Any]]:
        """The members of both that are not written alike; what one side lacks, and another order, are differences."""
        names = [name for name, _ in left]
        if len(set(names)) == len(names) and names == [name for name, _ in right]:  # as nearly always
            for (name, one), (_, other) in zip(left, right, strict=True):
                if one != other:
                    yield (name, 0), one, other
            return
        sides = [_by_name(each) for each in (left, right)]
        for key, value in sides[0].items():
            if key in sides[1]:
                yield key, value, sides[1][key]
            else:
                self._add(_join(path, _shown(key)), "is missing on the right", value, None)
        for key, value in sides[1].items():
            if key not in sides[0]:
                self._add(_join(path, _shown(key)), "is missing on the left", None, value)
        common = [[key for key in each if key in sides[0] and key in sides[1]] for each in sides]
        if common[0] != common[1]:
            orders = [" ".join(key[0] for key in each) for each in common]
            self._add(_join(path, "(order of members)"), "differs", *orders)

    def _compare_lists(self, path: str, rule: str, left: list[Any], right: list[Any]) -> None:
        list_rule = LISTS.get(rule)
        if list_rule is None:
            if len(left) != len(right):
                self._add(f"{path}(length)", "differs", str(len(left)), str(len(right)))
            for at, (one, other) in enumerate(zip(left, right, strict=False)):
                self._compare(f"{path}[{at}]", rule, one, other)
            return
        keys = [identify(rule, list_rule, each) for each in (left, right)]
        positions = [{key: at for at, key in enumerate(each)} for each in keys]
        for key, at in positions[0].items():
            if key in positions[1]:
                self._compare(f"{path}[{at}]", rule, left[at], right[positions[1][key]])
            else:
                self._add(f"{path}[{at}]", "is missing on the right", left[at], None)
        for key, at in positions[1].items():
            if key not in positions[0]:
                self._add(f"{path}[{at}]", "is missing on the left", None, right[at])
        if not list_rule.is_open:
            common = positions[0].keys() & positions[1].keys()
            orders = [
                settle_ties(rule, list_rule, elements, {key: at for key, at in positions[own].items() if key in common})
                for own, elements in enumerate((left, right))
            ]
            if orders[0] != orders[1]:
                self._add(f"{path}(order)", "differs", *(" ".join(str(key[0]) for key in each) for each in orders))


def _by_name(members: Members) -> dict[tuple[str, int], Any]:
    """The members by their names and how often each came before."""
    seen = Counter[str]()
    found = {}
    for name, value in members:
        found[name, seen[name]] = value
        seen[name] += 1
    return found


def _shown(key: tuple[str, int]) -> str:
    """A name as a path shows it: a stranger wrote it."""
    name = "".join(each if each.isprintable() else "?" for each in key[0][:MAX_NAME])
    return f"{name}[{key[1]}]" if key[1] else name


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_pending(job: Members) -> bool:
    return any(job.get(name) == "Pending" for name in PENDING)


def _content_type(text: str) -> tuple[str, str]:
    """The media type and the charset, which may be empty."""
    media_type, _, parameters = text.lower().partition(";")
    found = re.search(r"charset\s*=\s*\"?([a-z0-9_-]+)", parameters)
    return media_type.strip(), found[1] if found else ""


def _show_both(left: object, right: object) -> tuple[str, str]:
    """Both values, cut to what stands around the first character that differs."""
    texts = [_show(each) for each in (left, right)]
    at = first_difference(*texts)
    start = max(0, at - MAX_VALUE // 2)
    first, second = ("..." * bool(start) + each[start : start + MAX_VALUE] for each in texts)
    return first, second


def _show(value: object) -> str:
    text = value.text if isinstance(value, Number) else value
    if isinstance(text, (bool, type(None))):
        return {None: "null", True: "true", False: "false"}[text]
    return text if isinstance(text, str) else "..."
