"""A backward scan yields every row once, and its work follows the rows that are wanted."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tables.backward_scan import END_OF_IDS, scan_backwards

BATCH = 250
MINUTE = 60_000 << 80
DAY = 1440 * MINUTE
NOW = 1_790_000_000_000 << 80


class Ids:
    """Ids in storage, and how much was read of them."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids, self.reads, self.rows = sorted(ids), 0, 0

    async def read(self, first: int, end: int) -> tuple[list[int], bool]:
        """What a read of storage returns."""
        assert first < end
        found = self.ids[bisect_left(self.ids, first) : bisect_left(self.ids, end)]
        self.reads += 1
        self.rows += min(len(found), BATCH + 1)
        return found[:BATCH], len(found) <= BATCH

    def newest(self, wanted: int, end: int = NOW) -> list[int]:
        """As many of the last ids before the end as are wanted, at least."""

        async def collect() -> list[int]:
            found: list[int] = []
            async for batch in scan_backwards(self.read, 0, end, 10 * MINUTE, BATCH):
                found += batch
                if len(found) >= wanted:
                    break
            return found

        return asyncio.run(collect())


@given(st.sets(st.integers(0, END_OF_IDS - 1), max_size=600), st.integers(0, END_OF_IDS))
def test_every_row_of_the_range_comes_once_and_the_last_first(ids: set[int], end: int) -> None:
    stored = Ids([*ids])
    assert stored.newest(END_OF_IDS, end) == sorted((each for each in ids if each < end), reverse=True)


def test_rows_of_one_millisecond_come_all() -> None:
    stored = Ids([NOW - DAY + number for number in range(3000)])
    assert stored.newest(3000) == stored.ids[::-1]


@pytest.mark.parametrize(
    ("every", "before", "reads", "rows"),
    [(MINUTE, 0, 3, 100), (MINUTE // 100, 0, 10, 2600), (30 * DAY, 0, 10, 300), (MINUTE // 200, 180 * DAY, 40, 6000)],
    ids=["one a minute", "a hundred a minute", "one a month", "a burst half a year ago"],
)
def test_a_page_of_many_rows_reads_few(every: int, before: int, reads: int, rows: int) -> None:
    stored = Ids([NOW - before - number * every for number in range(1, 10_001)])
    page = stored.newest(50)
    assert page[:50] == stored.ids[:-51:-1]
    assert (stored.reads <= reads, stored.rows <= rows) == (True, True), (stored.reads, stored.rows)
