"""Answers that come while storage is busy are written together; one failure is no other's."""

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from adapters.errors import StorageError, StorageErrorCode
from proxy.worker.geocoding.answer_writer import AnswerWriter
from proxy.worker.geocoding.checkpoints import Checkpoints
from proxy.worker.parallel import run_all


class SlowCheckpoints:
    """Notes what is written; fails as often as it is set to."""

    def __init__(self, failures: int = 0) -> None:
        self.written: list[list[int]] = []
        self._failures = failures

    async def write_answers(self, answers: Mapping[int, bytes]) -> None:
        await asyncio.sleep(0.01)
        if self._failures:
            self._failures -= 1
            raise StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")
        self.written.append([*answers])


async def write_all(checkpoints: SlowCheckpoints) -> list[BaseException | None]:
    writer = AnswerWriter(cast("Checkpoints", checkpoints))
    return await asyncio.gather(*(writer.write(number, b"\n") for number in range(5)), return_exceptions=True)


async def test_what_waits_is_written_together() -> None:
    checkpoints = SlowCheckpoints()
    assert await write_all(checkpoints) == [None] * 5
    assert checkpoints.written == [[0], [1, 2, 3, 4]]


async def test_a_failure_is_raised_once_and_the_rest_is_written() -> None:
    checkpoints = SlowCheckpoints(failures=2)
    found = await write_all(checkpoints)
    assert [type(each) for each in found].count(StorageError) == 2
    assert sorted(number for numbers in checkpoints.written for number in numbers) == [2, 3, 4]


async def test_the_first_failure_of_many_pieces_of_work_is_raised() -> None:
    async def fail() -> None:
        raise StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")

    with pytest.raises(StorageError):
        await run_all((fail() for _ in range(5)), 2)
