"""This side of a migration: what it does not load over, and what it says then."""

from pathlib import Path
from uuid import uuid4

import pytest

from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks
from proxy.comparison.service_document import ListedSource
from proxy.migration.errors import NotCopiedError
from proxy.migration.target_account import PlannedLoad, TargetAccount
from proxy.worker.reader_tasks import DATA
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play

LISTED = ListedSource("Shops", "a1b2", "Shop", "data/a1b2/Shops/Shop")
CREATED = Ticks(6 * 10**17)


def run(account: Storage, name: str, before: DataSource | None, tmp_path: Path, content: bytes = b"") -> str:
    """Loads content over what is there; returns what it says."""
    said: list[str] = []
    listed = ListedSource(name, "a1b2", "Shop", f"data/a1b2/{name}/Shop")

    async def story(desk: Desk) -> None:
        if before is not None:
            await desk.account.data_sources.change(name, lambda _: before)
        target = TargetAccount(desk.account, desk.context, "sha256:aa")
        try:
            await target.find_version(listed)
            if content:
                (tmp_path / DATA).write_bytes(content)
                await target.load(listed, PlannedLoad(target.new_load(listed), None, 1, 0), tmp_path)
        except NotCopiedError as error:
            said.append(str(error))
        if before is not None and content:
            found = await desk.account.data_sources.get(name)
            assert found is not None
            said.append(found.access_id)

    play(account, story)
    return "; ".join(said)


@pytest.fixture
def name() -> str:
    return f"Shops{uuid4().hex[:8]}"


def source(name: str, **members: object) -> DataSource:
    return DataSource(name=name, access_id="other", created=CREATED, **members)  # type: ignore[arg-type]  # as given


def test_a_data_source_that_is_being_deleted_is_left_alone(account: Storage, name: str, tmp_path: Path) -> None:
    said = run(account, name, source(name, deleting="d1"), tmp_path)
    assert said == "it is being deleted here; run the command again when that has ended"


def test_a_data_source_that_was_only_prepared_gets_the_services_access_id(
    account: Storage, name: str, tmp_path: Path
) -> None:
    said = run(account, name, source(name), tmp_path, b"<html/>")
    assert said.startswith("its file can't be loaded: ")
    assert said.endswith("; a1b2")


def test_a_row_that_cannot_be_read_is_named(account: Storage, name: str, tmp_path: Path) -> None:
    from azure.data.tables import TableClient  # noqa: PLC0415 - only this test writes such a row

    with TableClient.from_connection_string(account.connection_string, "datasources") as table:
        play(account, lambda desk: desk.account.data_sources.create_table())
        table.upsert_entity({"PartitionKey": account.account, "RowKey": name.lower(), "Name": name})
    assert "its row here can't be used" in run(account, name, None, tmp_path)


def test_entities_that_are_gone_are_named(account: Storage, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        job_id = (
            await desk.done(
                desk.load(
                    b"Bing Spatial Data Services, 1.0, A\nId(Edm.String,primaryKey),"
                    b"Latitude(Edm.Double),Longitude(Edm.Double)\n1,1,2\n"
                )
            )
        ).row_key
        version = (await desk.the_source()).published
        assert version is not None
        await desk.account.blobs.delete(BlobPath("datasources", version.blob.name))
        target = TargetAccount(desk.account, desk.context, "sha256:aa")
        with pytest.raises(NotCopiedError, match=f"the entities of its version {job_id} are not in storage any more"):
            await target.digest_version(version, tmp_path)

    play(account, story)
