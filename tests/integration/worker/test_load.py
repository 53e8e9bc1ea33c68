"""A load: a version made of data, and nothing else changed before it is switched to."""

from dataclasses import replace

import pytest

from adapters.blobs.store import VERSIONS
from adapters.model.jobs import JobStatus
from tests.support.storage import Storage
from tests.support.worker_desk import LOCATION, Desk, is_try_blob, shops


async def test_load_creates_a_data_source(desk: Desk) -> None:
    job = await desk.done(desk.load(shops("a", "b", note="new"), public=True, query_key="sha256:bb"))
    assert job.status is JobStatus.COMPLETED
    assert job.completed is not None
    assert (job.total, job.processed, job.failed) == (2, 2, 0)
    assert (job.access_id, job.failed_blob, job.error_message) == ("acc", None, None)
    source = await desk.the_source()
    assert (source.name, source.access_id, source.is_public) == ("Shops", "acc", True)
    assert (source.master_key, source.query_key) == ("sha256:aa", "sha256:bb")
    assert source.published is not None
    assert (source.published.job_id, source.published.entities) == (job.row_key, 2)
    assert source.published.entity_type == "Shops"
    assert await desk.published() == {"a": "new", "b": "new"}


async def test_next_load_keeps_two_versions_and_the_access_id(desk: Desk) -> None:
    jobs = [await desk.done(desk.load(shops(each), access_id=f"acc-{each}", name="sHOPS")) for each in "abcd"]
    assert {job.access_id for job in jobs} == {"acc-a"}
    source = await desk.the_source()
    ids = [job.row_key for job in jobs]
    assert source.published is not None
    assert source.published.job_id == ids[3]
    assert [version.job_id for version in source.earlier] == [ids[2], ids[1]]
    assert await desk.notes(source.earlier[1]) == {"b": None}


async def test_failed_entities_are_logged_and_the_others_load(desk: Desk, storage: Storage) -> None:
    job = await desk.done(desk.load(shops("a", "b", "a")))
    assert job.status is JobStatus.COMPLETED
    assert (job.processed, job.failed) == (3, 1)
    log = await desk.text(job.failed_blob)
    assert log.startswith("line 5, id a: ")
    assert is_try_blob(job.failed_blob, f"exports/{storage.account}/{job.row_key}/{{}}/Shops-failed.txt")
    assert await desk.published() == {"a": None, "b": None}


async def test_error_log_has_notes_on_loaded_entities(desk: Desk) -> None:
    mark = "<Placemark id='a'><description>%s</description><Point><coordinates>1,2</coordinates></Point></Placemark>"
    data = f"<kml>{mark % ('x' * 2_561)}{mark % ''}</kml>".encode()
    cut = "placemark 1 (line 1), id a: Description has 2,561 characters and is cut to 2,560"
    job = await desk.done(desk.load(data, input="kml"))
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 2, 0)
    assert (await desk.text(job.failed_blob)).splitlines() == [cut]
    update = await desk.done(desk.load(data, "incremental", input="kml"))
    assert (update.status, update.processed, update.failed) == (JobStatus.COMPLETED, 2, 0)
    log = (await desk.text(update.failed_blob)).splitlines()
    assert log[0] == cut
    assert log[1].startswith("placemark 2 (line 1), id a_2: another one before it has the id a too; the id depends on")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nonsense", None),
        (shops("x" * 51), "Nothing in the data is usable; the first of 1, line 3"),
        (b"\x1f\x8b but no gzip", None),
    ],
)
async def test_unusable_data_aborts_and_changes_nothing(desk: Desk, data: bytes, reason: str | None) -> None:
    await desk.done(desk.load(shops("a")))
    before = await desk.the_source()
    job = await desk.done(desk.load(data))
    assert job.status is JobStatus.ABORTED
    assert job.error_message is not None
    assert job.error_message.startswith(reason or "")
    assert job.error_message.endswith(".")
    assert (job.failed_blob is None) == (reason is None)
    assert await desk.the_source() == before
    assert len(await desk.blobs(VERSIONS)) == 1


async def test_update_replaces_adds_deletes_and_merges_properties(desk: Desk) -> None:
    update = (
        "Bing Spatial Data Services, 1.0, Shops\n"
        f"ID(Edm.String,primaryKey),Seats(Edm.Int64),__deleteEntity(Edm.String),{LOCATION}\n"
        "b,7,,3,4\nc,,1\nnew,8,,5,6\n"
    )
    await desk.done(desk.load(shops("a", "b", "c", note="old")))
    job = await desk.done(desk.load(update.encode(), "incremental"))
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 3, 0)
    assert await desk.entities((await desk.the_source()).published) == [
        {"Id": "a", "Note": "old", "Latitude": 1, "Longitude": 2, "Seats": None},
        {"Id": "b", "Note": None, "Latitude": 3, "Longitude": 4, "Seats": 7},
        {"Id": "new", "Note": None, "Latitude": 5, "Longitude": 6, "Seats": 8},
    ]
    earlier = (await desk.the_source()).earlier[0]
    assert await desk.notes(earlier) == {"a": "old", "b": "old", "c": "old"}


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            "Shops\nId(Edm.String,primaryKey),note(Edm.Int64)",
            "The property note is of type Edm.String in the data source ",
        ),
        ("Cafes\nId(Edm.String,primaryKey)", "The data source has entities of type Shops, and the load of type Cafes."),
        ("Shops\nKey(Edm.String,primaryKey)", "The primary key of the data source is Id, and that of the load Key."),
    ],
)
async def test_update_with_a_different_schema_aborts(desk: Desk, head: str, reason: str) -> None:
    await desk.done(desk.load(shops("a")))
    data = f"Bing Spatial Data Services, 1.0, {head},{LOCATION}\nb\n".encode()
    job = await desk.done(desk.load(data, "incremental"))
    assert job.status is JobStatus.ABORTED
    assert str(job.error_message).startswith(reason)
    assert await desk.published() == {"a": None}


async def test_update_beyond_the_most_entities_aborts(desk: Desk) -> None:
    few = replace(desk.context.limits.load, entities=3)
    await desk.done(desk.load(shops("a", "b")))
    job = await desk.done(desk.load(shops("b", "c"), "incremental"), load=few)
    assert job.status is JobStatus.COMPLETED
    job = await desk.done(desk.load(shops("d"), "incremental"), load=few)
    assert job.error_message == "With this load the data source would have more than 3 entities."
    assert set(await desk.published()) == {"a", "b", "c"}


async def test_update_aborts_only_if_it_makes_the_data_too_large(desk: Desk) -> None:
    megabyte = 1024 * 1024
    small = replace(desk.context.limits.load, unpacked_bytes=megabyte)
    notes = {"note": "x" * 2_000}
    first, second = ([f"{half}{number}" for number in range(400)] for half in "ab")
    await desk.done(desk.load(shops(*first, **notes)), load=small)
    job = await desk.done(desk.load(shops(*second, **notes), "incremental"), load=small)
    assert job.error_message == "With this load the data source would hold more than PROXY_MAX_UPLOAD_MB, 1 MB."
    assert set(await desk.published()) == set(first)
    # What is larger already, for it was loaded when more was allowed, may be changed and made smaller.
    await desk.done(desk.load(shops(*first, *second, **notes)))
    job = await desk.done(desk.load(shops(*second), "incremental"), load=small)
    assert job.status is JobStatus.COMPLETED


async def test_error_of_a_parser_aborts_at_once_and_is_logged(
    desk: Desk, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    job = await desk.done(desk.load(shops("a"), input="nonsense"))
    assert job.status is JobStatus.ABORTED
    assert str(job.error_message).startswith("The data can't be read as nonsense: ")
    (error,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert (vars(error)["row_key"], vars(error)["account"]) == (job.row_key, storage.account)
    assert vars(error)["more"].startswith("Traceback")
    assert f"DataSourceComplete of Shops: Aborted: {job.error_message}" in caplog.messages
    assert not any(message.startswith("try ") for message in caplog.messages)


async def test_update_without_a_version_aborts(desk: Desk) -> None:
    job = await desk.done(desk.load(shops("a"), "incremental"))
    assert job.status is JobStatus.ABORTED
    assert "no version to update" in str(job.error_message)
    assert await desk.source() is None


async def test_staged_update_builds_on_the_staged_version(desk: Desk) -> None:
    await desk.done(desk.load(shops("a")))
    await desk.done(desk.load(shops("b"), "incrementalStaging"))
    await desk.done(desk.load(shops("c"), "incrementalStaging"))
    source = await desk.the_source()
    assert set(await desk.notes(source.staged)) == {"a", "b", "c"}
    assert set(await desk.published()) == {"a"}
    # A plain update is of the published version.
    await desk.done(desk.load(shops("d"), "incremental"))
    assert set(await desk.published()) == {"a", "d"}
    await desk.done(desk.load(shops("e"), "completeStaging"))
    source = await desk.the_source()
    assert set(await desk.notes(source.staged)) == {"e"}
    assert len(source.earlier) == 1


async def test_load_whose_data_is_gone_aborts(desk: Desk) -> None:
    job = await desk.done(desk.load(shops("a"), upload="uploads/none"))
    assert (job.status, job.error_message) == (JobStatus.ABORTED, "The data that was sent is not there any more.")


async def test_data_is_fetched_from_allowed_hosts_only(desk: Desk, storage: Storage) -> None:
    container = f"data-{desk.account.name[-12:]}"
    storage.blobs.create_container(container, public_access="blob")
    blob = storage.blobs.get_blob_client(container, "shops.csv")
    blob.upload_blob(shops("far"))
    job = await desk.done(desk.load(b"", upload=None, location=blob.url))
    assert job.status is JobStatus.COMPLETED
    assert set(await desk.published()) == {"far"}
    job = await desk.done(desk.load(b"", upload=None, location="https://example.com/x?sig=secret"))
    assert job.status is JobStatus.ABORTED
    assert job.error_message == "The data location is on a host that data may not be fetched from."
    job = await desk.done(desk.load(b"", upload=None, location=f"{blob.url}?sig=secret"), upload_bytes=3)
    assert job.status is JobStatus.ABORTED
    assert "secret" not in str(job.error_message)
