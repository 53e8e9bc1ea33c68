"""The calls of a geocode job: some seconds of them in a turn, several in flight, each with its checkpoint."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from adapters.errors import StorageError
from adapters.maps.errors import FINAL, AskStoppedError, MapsError, MapsFailure
from adapters.model.geocoding import Answer, Item, ItemError
from proxy.formats.geocode.checkpoints import decode_chunk, encode_answers
from proxy.formats.geocode.chunks import Chunk
from proxy.formats.geocode.outcomes import NOT_ANSWERED
from proxy.worker.geocoding.answer_writer import AnswerWriter
from proxy.worker.geocoding.answers_file import AnswersFile
from proxy.worker.geocoding.checkpoints import Checkpoints, Plan, Progress
from proxy.worker.job import JobAbortedError, PostponedError, RunningJob

log = logging.getLogger(__name__)

TURN_SECONDS = 5.0
"""After so long a job makes no further call in this turn: others get theirs."""
IN_FLIGHT = 8
"""Chunks of one job that are asked at the same time. If the worker dies, so many are asked twice."""
CONFIRM_SECONDS = 1.0
"""Between two looks whether the job has ended elsewhere."""
WAIT_SECONDS = 60.0
"""The longest that a job is hidden in the queue where the day's items are used up: the bound may be raised."""

_UNANSWERED = ItemError(NOT_ANSWERED, is_of_server=True)


class Geocoder(Protocol):
    """What answers items: the Azure Maps account of an account."""

    async def ask(
        self,
        items: Sequence[Item],
        language: str,
        *,
        answers: dict[int, Answer] | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Answer]:
        """The answers to the items of one chunk, in their order; see `MapsClient.ask`.

        Raises:
            MapsError: not all have an answer, after all repeats. `answers` has those that there are.
            AskStoppedError: `may_go_on` was false; the same.
        """
        ...

    async def give_back(self) -> None:
        """Gives back what was taken of the day's items and not asked."""
        ...


async def ask_chunks(job: RunningJob, plan: Plan, checkpoints: Checkpoints, answers: AnswersFile) -> str | None:
    """Asks the chunks that have no answers yet, for one turn, and appends those that come to `answers`.

    Returns:
        None once all have theirs; the reason, if Azure Maps answers no more.

    Raises:
        PostponedError: the turn is over, or the items of this day are used up.
        JobAbortedError: Azure Maps refuses the first call.
        LeaseLostError: the job has ended, or another worker has it.
    """
    turn = _Turn(job, plan, checkpoints, await checkpoints.list_progress(), answers)
    if len(turn.answered) == plan.chunks:
        return None
    try:
        geocoder = job.context.geocoder_for(job.account)
        await turn.run(geocoder)
    except MapsError as error:
        if error.failure is MapsFailure.DAY_BOUND:
            log.warning("a geocode job waits: %s; %s", error, error.failure.value.hint, extra=turn.log_fields)
            raise PostponedError(min(WAIT_SECONDS, error.retry_after or WAIT_SECONDS)) from None
        reason = f"{error}; {error.failure.value.hint}"
        if error.failure in FINAL and not turn.answered and not turn.begun:
            raise JobAbortedError(reason) from None
        log.warning("a geocode job is given up: %s", reason, extra=turn.log_fields)
        await turn.keep_parts()
        return reason
    if len(turn.answered) < plan.chunks:
        raise PostponedError(0)
    await geocoder.give_back()
    return None


class _Turn:
    """The calls of one turn. `answered` has the numbers of chunks with all answers, `begun` of those with some."""

    def __init__(
        self, job: RunningJob, plan: Plan, checkpoints: Checkpoints, progress: Progress, answers: AnswersFile
    ) -> None:
        self.answered = {number for numbers in progress.written for number in numbers}
        self.begun, self._answers = progress.begun - self.answered, answers
        self._writer = AnswerWriter(checkpoints)
        self.log_fields = {"account": job.account.name, "row_key": job.id}
        self._job, self._plan, self._checkpoints = job, plan, checkpoints
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + TURN_SECONDS
        self._is_failed = False
        self._count()
        job.resumed = job.processed

    async def run(self, geocoder: Geocoder) -> None:
        """Asks until the end of the turn, or of the chunks.

        Raises:
            MapsError: Azure Maps answers no more. The chunks in flight have ended too.
        """
        running: set[asyncio.Task[None]] = set()
        confirmed = self._loop.time()
        try:
            async with aclosing(self._read_chunks()) as chunks:
                async for chunk in chunks:
                    # The first call of a turn is always made, so that each turn has a result.
                    may_go_on = self._may_go_on if running else lambda: True
                    running.add(asyncio.create_task(self._ask(geocoder, chunk, may_go_on)))
                    running = await _finish_some(running, IN_FLIGHT - 1)
                    if not self._may_go_on():
                        break
                    if self._loop.time() > confirmed + CONFIRM_SECONDS:
                        await self._job.confirm()
                        confirmed = self._loop.time()
            await _finish_some(running, 0)
        except (MapsError, StorageError):
            self._is_failed = True
            await asyncio.gather(*running, return_exceptions=True)  # their answers are paid for
            raise
        finally:
            await _cancel(running)

    async def keep_parts(self) -> None:
        """Lets the outputs of a job that is given up have what was paid for of the chunks that were cut short."""
        for number in self.begun:
            known = await self._checkpoints.read_part(number)
            answers = [known.get(position, _UNANSWERED) for position in range(max(known, default=-1) + 1)]
            self._answers.append(number, encode_answers(answers))

    def _may_go_on(self) -> bool:
        return not self._is_failed and self._loop.time() < self._end and not self._job.stop.is_set()

    async def _read_chunks(self) -> AsyncGenerator[Chunk, None]:
        for group, numbers in enumerate(self._plan.groups):
            if self.answered.issuperset(numbers):
                continue
            lines = await self._checkpoints.read_items(self._plan, group)
            for number, line in zip(numbers, (lines or b"").splitlines(), strict=True):
                if number not in self.answered:
                    yield decode_chunk(line)

    async def _ask(self, geocoder: Geocoder, chunk: Chunk, may_go_on: Callable[[], bool]) -> None:
        known = await self._checkpoints.read_part(chunk.number) if chunk.number in self.begun else {}
        before = len(known)
        try:
            found = await geocoder.ask(chunk.items, chunk.language, answers=known, may_go_on=may_go_on)
        except (AskStoppedError, MapsError) as error:
            if len(known) > before:  # they are paid for
                await self._checkpoints.write_part(chunk.number, known)
                self.begun.add(chunk.number)
            if isinstance(error, MapsError):
                raise
            return
        answers = encode_answers(found)
        await self._writer.write(chunk.number, answers)
        self._answers.append(chunk.number, answers)
        is_first, self._job.has_progressed = not self._job.has_progressed, True
        self.answered.add(chunk.number)
        self.begun.discard(chunk.number)
        self._count()
        if is_first:
            await self._job.forgive_attempts()

    def _count(self) -> None:
        """Counts rows by the share of chunks that are done: rows that are equal or have a fault are in none."""
        share = len(self.answered) / max(1, self._plan.chunks)
        self._job.processed = int(self._plan.rows * share)


async def _finish_some(running: set[asyncio.Task[None]], most: int) -> set[asyncio.Task[None]]:
    """Waits until at most so many run, and returns these; raises what one of them raises."""
    while len(running) > most:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    return running


async def _cancel(running: set[asyncio.Task[None]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
