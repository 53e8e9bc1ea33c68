"""The day's bound of items: one counter row for all processes (operations contract, section 1)."""

import asyncio
from collections.abc import Awaitable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import EntityProperty

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig, MapsEntry
from adapters.errors import StorageError
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.options import MapsOptions
from adapters.maps.throttle import Throttle
from adapters.model.geocoding import Answer
from adapters.tables.maps_counter import MapsCounter
from proxy.demo.maps.stand_in import KEY, MapsStandIn
from tests.integration.maps.conftest import client_of, towns
from tests.support.opened_account import SECONDS, run
from tests.support.storage import Storage

pytestmark = pytest.mark.usefixtures("noon")


def counter(account: AccountStorage, most: int) -> MapsCounter:
    """The counter of one more process."""
    return MapsCounter(account.name, *account._jobs_table, SECONDS, most)  # noqa: SLF001 - as another process would open it


def row_of(storage: Storage) -> dict[str, Any]:
    (row,) = [
        row for row in storage.table.query_entities("PartitionKey eq '~counters'") if storage.account in row["RowKey"]
    ]
    return dict(row)


def items(row: dict[str, Any]) -> int:
    value = row["Items"]
    return int(value.value if isinstance(value, EntityProperty) else value)


def test_the_row_has_the_contracts_key_and_counts_in_steps_of_a_hundredth(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        for most, counts in ((50, [1, 2]), (1000, [10, 10]), (1_000_000, [100, 100])):
            day = counter(account, most)
            for count in counts:
                await day.take(1)
                assert items(row_of(storage)) == count
            await day.give_back()
            assert items(row_of(storage)) == await day.count() == 2
            storage.table.delete_entity(row_of(storage))

    run(storage, work)


def test_the_rows_name_is_the_account_and_the_utc_day(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the clock of storage

    async def work(account: AccountStorage) -> None:
        assert await counter(account, 10).count() == 0
        await counter(account, 10).take(3)

    before = datetime.now(UTC)
    run(storage, work)
    days = {f"{moment:%Y%m%d}" for moment in (before, datetime.now(UTC))}
    row = row_of(storage)
    assert row["RowKey"] in {f"maps:{storage.account}:{day}" for day in days}
    assert items(row) == 3


def test_processes_that_take_at_once_lose_no_item_and_stay_within_the_bound(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        processes = [counter(account, 400) for _ in range(4)]
        granted = 0

        async def take(process: MapsCounter) -> None:
            nonlocal granted
            for _ in range(15):
                try:
                    await process.take(10)
                except MapsError:
                    return
                granted += 10

        await asyncio.gather(*map(take, processes))
        assert 400 - 4 * 10 < granted <= 400
        assert granted <= items(row_of(storage)) <= 400
        for process in processes:
            await process.give_back()
        assert items(row_of(storage)) == granted

    run(storage, work)


def test_a_call_over_the_bound_counts_nothing_and_says_when_the_day_ends(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        day = counter(account, 10)
        await day.take(7)
        with pytest.raises(MapsError) as caught:
            await day.take(4)
        assert (caught.value.failure, caught.value.items_left) == (MapsFailure.DAY_BOUND, 3)
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 86_400
        assert "3 of the 10 items of this UTC day are left" in str(caught.value)
        await day.take(3)
        assert items(row_of(storage)) == 10

    run(storage, work)


def test_a_new_day_begins_anew(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(account: AccountStorage) -> None:
        day = counter(account, 1000)
        monkeypatch.setattr(day, "_now", lambda: datetime(2030, 1, 1, 23, 59, 50, tzinfo=UTC))
        await day.take(5)
        with pytest.raises(MapsError) as caught:
            await day.take(1000)
        assert caught.value.retry_after == 10
        assert await day.count() == 10
        monkeypatch.setattr(day, "_now", lambda: datetime(2030, 1, 2, tzinfo=UTC))
        await day.take(1000)
        assert await day.count() == 1000
        await day.give_back()  # the rest of the day before is gone, and takes nothing from this one
        assert await day.count() == 1000

    run(storage, work)


def test_j15_a_chunk_at_the_bound_asks_what_is_left_and_asks_nothing_twice(storage: Storage, maps: MapsStandIn) -> None:
    async def work(account: AccountStorage) -> None:
        answers: dict[int, Answer] = {}
        client = client_of(maps, budget=counter(account, 6))
        for _ in range(2):
            with pytest.raises(MapsError) as caught:
                await client.ask(towns(10), "en-US", answers=answers)
            assert caught.value.failure is MapsFailure.DAY_BOUND
        assert (maps.items, sorted(answers)) == (6, [0, 1, 2, 3, 4, 5])
        await client.close()
        rest = client_of(maps, budget=counter(account, 10))
        assert len(await rest.ask(towns(10), "en-US", answers=answers)) == 10
        await rest.close()
        assert maps.items == 10

    run(storage, work)


def test_what_was_not_asked_is_given_back_at_the_end(storage: Storage, maps: MapsStandIn) -> None:
    async def work(account: AccountStorage) -> None:
        client = client_of(maps, budget=counter(account, 10_000))
        await client.ask(towns(1), "en-US")
        assert items(row_of(storage)) == 100
        await client.close()
        assert items(row_of(storage)) == 1

    run(storage, work)


def test_storage_that_cannot_count_lets_no_call_pass(storage: Storage, maps: MapsStandIn) -> None:
    async def work(account: AccountStorage) -> None:
        client = client_of(maps, budget=counter(account, 10))
        with pytest.raises(StorageError):
            await client.ask(towns(1), "en-US")
        await client.close()

    run(storage, work, text=storage.connection_string.replace("AccountKey=", "AccountKey=AAAA"))
    assert maps.calls == 0


def test_a_count_that_others_keep_changing_is_a_failure_of_storage(
    storage: Storage, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests answer 503 then, and jobs are tried again with what they have."""
    monkeypatch.setattr("adapters.sdk_calls.LONGEST_WAIT", 0.0)

    async def lose(_counter: MapsCounter, write: Coroutine[Any, Any, object]) -> bool:
        write.close()
        return False

    async def work(account: AccountStorage) -> None:
        client = client_of(maps, budget=counter(account, 10))
        with pytest.raises(StorageError, match="busy: other processes kept changing"):
            await client.look_up(towns(1)[0], "en-US")
        await client.close()

    monkeypatch.setattr(MapsCounter, "_try", lose)
    run(storage, work)
    assert maps.calls == 0


def test_a_caller_that_ends_while_it_waits_for_the_rate_counts_nothing(storage: Storage, maps: MapsStandIn) -> None:
    async def work(account: AccountStorage) -> None:
        client = client_of(maps, budget=counter(account, 10), throttle=Throttle(0.01))
        for expected in (False, True, True):
            waiting = asyncio.create_task(client.look_up(towns(1)[0], "en-US"))
            _, late = await asyncio.wait([waiting], timeout=0.1 if maps.calls else SECONDS)
            waiting.cancel()
            assert bool(late) is expected
        assert (items(row_of(storage)), maps.calls) == (1, 1)
        await client.close()

    run(storage, work)


def test_a_caller_that_ends_while_its_item_is_counted_loses_that_one_only(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(account: AccountStorage) -> None:
        day, begun, rest = counter(account, 10_000), asyncio.Event(), asyncio.Event()
        write = day._try  # noqa: SLF001 - storage that answers late

        async def write_late(writing: Awaitable[object]) -> bool:
            begun.set()
            await rest.wait()
            return await write(writing)

        monkeypatch.setattr(day, "_try", write_late)
        late = asyncio.create_task(day.take(1))
        await begun.wait()
        late.cancel()
        await asyncio.wait([late])
        rest.set()
        await day.take(1)
        assert items(row_of(storage)) == 100
        await day.give_back()
        assert items(row_of(storage)) == 2

    run(storage, work)


@pytest.mark.parametrize("value", ["seven", -3, 2.5, True, "7"])
def test_a_row_that_somebody_spoiled_is_counted_anew(storage: Storage, value: object) -> None:
    async def work(account: AccountStorage) -> None:
        await counter(account, 10).take(4)
        storage.table.update_entity({**row_of(storage), "Items": value})
        with pytest.raises(MapsError):
            await counter(account, 10).take(11)
        await counter(account, 10).take(10)
        assert items(row_of(storage)) == 10
        storage.table.delete_entity(row_of(storage))
        await counter(account, 10).take(2)
        assert items(row_of(storage)) == 2

    run(storage, work)


def test_an_account_that_closes_gives_back_before_its_storage_closes(
    storage: Storage, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPS_TEST_KEY", KEY)

    async def work(_: AccountStorage) -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS, maps=MapsOptions(10_000))
        entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
        entry = MapsEntry("MAPS_TEST_KEY", endpoint=maps.url)
        async with AccountRegistry(entries, options, maps={storage.account: entry}) as accounts:
            await accounts[storage.account].maps.look_up(towns(1)[0], "en-US")
            assert items(row_of(storage)) == 100
        assert items(row_of(storage)) == 1

    run(storage, work)
