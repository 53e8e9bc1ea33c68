"""Queries of opened versions: what goes wrong between two of them."""

import time
from pathlib import Path

import pytest

from proxy.operations.entity_queries import BILLED, EntityQueries, EntityQuery, end_after
from proxy.operations.entity_tables import EntityTable, find_page
from proxy.operations.errors import OperationError
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


def test_a_file_that_is_damaged_between_two_queries_is_fetched_anew(storage: Storage, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a", "b")))
        source = await desk.the_source()
        assert source.published is not None
        async with EntityQueries.open(tmp_path, 64) as queries:

            async def find() -> EntityTable:
                assert source.published is not None
                opened = await queries.open_version(desk.account, source, source.published)
                return await queries.use(opened, find_page(opened, {}, end_after(20)))

            assert (await find()).ids == ("a", "b")
            _damage(tmp_path)
            with pytest.raises(OperationError, match=r"The version can't be read: .* is damaged in column"):
                await find()
            assert (await find()).ids == ("a", "b")

    play(storage, story)


def test_a_query_that_takes_too_long_is_ended_by_a_sentence() -> None:
    late = end_after(0)
    time.sleep(0.01)
    with pytest.raises(OperationError, match=r"The query took longer than 0 seconds\. Ask for less\."):
        late()
    end_after(60)()


def test_a_place_that_a_map_service_would_look_up_is_refused(storage: Storage, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        async with EntityQueries.open(tmp_path, 64) as queries:
            for area in ("nearby('Berlin',5)", "nearRoute('1,2','3,4')"):
                with pytest.raises(OperationError) as refused:
                    await queries.run(desk.account, "Shops", EntityQuery({"spatialfilter": area}))
                assert str(refused.value) == BILLED

    play(storage, story)


def _damage(folder: Path) -> None:
    """Changes bytes of the one file of a version, which is open, in its place."""
    (file,) = folder.glob("*.arrow")
    content = file.read_bytes()
    with file.open("r+b") as out:
        out.write(bytes(byte ^ 0xFF for byte in content[: len(content) // 2]))
