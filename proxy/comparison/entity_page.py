"""Reads pages of entities, of which queries are made."""

import re
from collections.abc import Iterable

from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.trees import Members, UnreadableError, read_tree

_COUNT = re.compile(rb'"__count"\s*:\s*([0-9]{1,9})[,}\s]')


def read_count(answer: Answer | None) -> int | None:
    """The count of all entities, which stands before them; None where the answer has none."""
    found = _COUNT.search(answer.body) if answer is not None and answer.kind is AnswerKind.SUCCESS else None
    return int(found[1]) if found else None


def read_entities(answers: Iterable[Answer | None]) -> list[Members]:
    """The entities of the first answer that has any."""
    for answer in answers:
        if answer is not None and answer.kind is AnswerKind.SUCCESS:
            try:
                found = [each for each in read_tree(answer.body).get("d").get("results") if isinstance(each, Members)]
            except (UnreadableError, AttributeError, TypeError):
                continue
            if found:
                return found
    return []
