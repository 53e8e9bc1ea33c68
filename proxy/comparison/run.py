"""Asks two endpoints the same questions, side by side, and compares the answers."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from random import Random
from threading import Event, Lock
from typing import Protocol, TypeVar

from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.connection import TransportError
from proxy.comparison.difference import Question, Verdict, compare_answers, not_comparable
from proxy.comparison.downloads import compare_downloads
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.entity_page import read_count, read_entities
from proxy.comparison.findings import Findings
from proxy.comparison.inventory import JOB_LIST, UnexpectedAnswerError, list_jobs, list_sources, read_schema
from proxy.comparison.migrated_loads import find_migrated_loads
from proxy.comparison.plan import (
    FIRST,
    PAGE,
    PlannedQuestion,
    account_questions,
    job_questions,
    page_question,
    query_questions,
    source_questions,
)
from proxy.comparison.query_forms import Draw
from proxy.comparison.service_document import ListedSource, Schema
from proxy.comparison.trees import Members

WORKERS = 6
MAX_FAILURES = 5  # questions in a row without an answer end the run
MAX_WAITS, MAX_WAIT_SECONDS = 3, 60.0
SAMPLED_PAGES = 8  # that queries are made from, beside the first
MAX_PAGES = 4_000  # of a data source: five times what one may have


OURS = "x-spatial-data-proxy"  # a header of this program's answers

T = TypeVar("T")


class Progress(Protocol):
    """Where the run stands."""

    def plan(self, questions: int) -> object:
        """So many more questions are known."""
        ...

    def answer(self) -> object:
        """Both sides have answered one."""
        ...

    def finish(self, about: str) -> object:
        """All of a data source is asked."""
        ...

    def wait(self, url: str, seconds: float) -> object:
        """A side wants fewer requests."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked: queries for each data source, whether every entity is read, data sources by patterns, values."""

    queries: int = 50
    every_entity: bool = True
    patterns: tuple[str, ...] = ()
    with_values: bool = False

    def includes(self, name: str) -> bool:
        """Whether a data source is asked about, in any letter case."""
        return not self.patterns or any(fnmatchcase(name.lower(), each.lower()) for each in self.patterns)


class _StoppedError(Exception):
    """The run ends: a task asks no more."""


@dataclass
class Comparison:
    """A run. Ctrl-C ends it between two questions."""

    left: Endpoint
    right: Endpoint
    scope: Scope
    progress: Progress
    findings: Findings = field(default_factory=Findings)
    _stop: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _failures: int = 0

    def run(self) -> Findings:
        """Asks all questions.

        Raises:
            TransportError: a side does not answer the first question.
            UnexpectedAnswerError: a side refuses the key, or is no such endpoint.
        """
        started = time.monotonic()
        listed = [list_jobs(side) for side in self._sides]
        listed_sources = [list_sources(side) for side in self._sides]
        self.findings.copies = find_migrated_loads(self._sides, listed, listed_sources)
        jobs = [
            each for each in _union(listed, lambda job: job.id.lower()) if each.id.lower() not in self.findings.copies
        ]
        sources = _union(listed_sources, lambda source: source.path.lower())
        common = set.intersection(*({source.path.lower() for source in each} for each in listed_sources))
        chosen = [each for each in sources if self.scope.includes(each.name)]
        named = {each.name.lower() for each in chosen}
        if self.scope.patterns:
            jobs = [each for each in jobs if each.name.lower() in named]
        tasks: list[Callable[[], None]] = [
            *(partial(self._compare_source, each, is_common=each.path.lower() in common) for each in chosen),
            *(partial(self._ask_all, job_questions(each)) for each in jobs),
        ]
        if not self.scope.patterns:  # the lists name what was not chosen
            tasks.insert(0, partial(self._ask_all, (FIRST, *account_questions())))
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for future in [pool.submit(self._run_task, each) for each in tasks]:
                    future.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        self.findings.seconds = time.monotonic() - started
        return self.findings

    @property
    def _sides(self) -> tuple[Endpoint, Endpoint]:
        return self.left, self.right

    @staticmethod
    def _run_task(task: Callable[[], None]) -> None:
        with suppress(_StoppedError):
            task()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _StoppedError

    def _compare_source(self, source: ListedSource, *, is_common: bool) -> None:
        """Asks all about a data source; where one side alone has it, its information says so."""
        self._ask_all(source_questions(source))
        if is_common:
            self._compare_entities(source)
        self.progress.finish(source.name)

    def _compare_entities(self, source: ListedSource) -> None:
        entities, total = self._read_pages(source)
        schema = self._schema(source)
        if schema is not None and entities:
            draw = Draw(schema, entities, total, Random(source.path.lower()))  # noqa: S311 - no secret: a repeatable choice
            self._ask_all(query_questions(source, draw, self.scope.queries))
        self._check_stop()
        for title, verdict in compare_downloads(self.left, self.right, source):
            question = PlannedQuestion(Question.FILE, source.name, title, source.parent)
            self.findings.add(question, verdict)

    def _schema(self, source: ListedSource) -> Schema | None:
        """The schema of the left side, else of the right one; None where neither has it."""
        for side in self._sides:
            try:
                return read_schema(side, source)
            except (TransportError, UnexpectedAnswerError):
                continue
        return None

    def _read_pages(self, source: ListedSource) -> tuple[list[Members], int]:
        """Compares all pages of entities, or the first and the middle one; gives entities to make queries from."""
        answers = self._ask_page(source, 0)
        counts = [read_count(each) for each in answers]
        self.findings.entities[source.name] = (counts[0], counts[1])
        total = max(each or 0 for each in counts)
        following = (
            range(PAGE, total, PAGE)[:MAX_PAGES] if self.scope.every_entity else range(max(PAGE, total // 2), total)[:1]
        )
        sampled = following[:: 1 + len(following) // SAMPLED_PAGES]
        entities = read_entities(answers)
        for skip in following:
            answers = self._ask_page(source, skip)
            if skip in sampled:
                entities += read_entities(answers)
        return entities, total

    def _ask_page(self, source: ListedSource, skip: int) -> tuple[Answer | None, Answer | None]:
        self.progress.plan(1)
        return self._ask(page_question(source, skip))

    def _ask_all(self, questions: Iterable[PlannedQuestion]) -> None:
        planned = list(questions)
        self.progress.plan(len(planned))
        for each in planned:
            self._ask(each)

    def _ask(self, question: PlannedQuestion) -> tuple[Answer | None, Answer | None]:
        """Asks both sides and keeps the verdict; gives the answers."""
        self._check_stop()
        answers: list[Answer | None] = []
        failure = ""
        for name, side in zip(("left", "right"), self._sides, strict=True):
            try:
                answers.append(self._ask_side(side, question))
            except TransportError as error:
                answers.append(None)
                failure = failure or f"the {name} side: {error}"
        self._count_failure(failure)
        left, right = answers
        if left is None or right is None:
            verdict: Verdict = not_comparable(failure)
        else:
            self.findings.are_both_ours |= bool(left.header(OURS) and right.header(OURS))
            verdict = compare_answers(
                question.kind,
                left,
                right,
                with_values=self.scope.with_values,
                without_jobs=self.findings.copies if question.path == JOB_LIST else frozenset(),
            )
        self.findings.add(question, verdict)
        self.progress.answer()
        return left, right

    def _ask_side(self, side: Endpoint, question: PlannedQuestion) -> Answer:
        """Asks a side, and again after the pause that it wants."""
        for _ in range(MAX_WAITS):
            answer = side.ask("GET", question.path, question.parameters)
            pause = answer.retry_after
            if answer.kind not in {AnswerKind.THROTTLED, AnswerKind.UNAVAILABLE} or pause is None:
                return answer
            if pause > MAX_WAIT_SECONDS:
                return answer
            self.progress.wait(side.url, pause)
            self._stop.wait(pause)
        return answer

    def _count_failure(self, failure: str) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failure else 0
            if self._failures >= MAX_FAILURES:
                self.findings.stopped = f"after {MAX_FAILURES} questions without an answer"
                self._stop.set()


def _union(sides: Iterable[Sequence[T]], identity: Callable[[T], str]) -> list[T]:
    """What one of the sides has, each once."""
    return list({identity(each): each for side in sides for each in side}.values())
