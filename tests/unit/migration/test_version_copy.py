"""The steps of one copy, where the service does not do what is usual. Both sides are stand-ins with a few members."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.model.data_sources import DataSourceVersion
from adapters.model.job_ids import created_at
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from proxy.comparison.service_document import ListedSource
from proxy.migration.backoff import FAILURES, Backoff
from proxy.migration.errors import NotCopiedError
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import MigrationState, open_state
from proxy.migration.target_account import PlannedLoad, TargetAccount
from proxy.migration.version_copy import MAX_COPIES, VersionCopier
from proxy.wire.resources import EntityCounts, JobResource, Link, ResourceType
from proxy.worker.reader_tasks import DATA, EntityDigest
from tests.unit.migration.test_asking import Lines

SOURCE = ListedSource("Shops", "acc", "Shop", "data/acc/Shops/Shop", updated="2026-01-02T03:04:05Z", job_id="j1")
LINK = Link("output", "https://service.example/x", "succeeded")


def job(job_id: str = "d1", status: str = "Completed", *links: Link, **members: Any) -> JobResource:
    """A download job at the service."""
    return JobResource(
        resource_type=ResourceType.DATAFLOW_JOB,
        id=job_id,
        status=status,
        created=Ticks(0),
        links=links or (LINK,),
        counts=EntityCounts(2, 2, 0),
        **members,
    )


class Service:
    """The service: its versions one after the other, its download jobs as a test has them."""

    def __init__(self, *versions: ListedSource | None) -> None:
        self.versions = list(versions or (SOURCE,))
        self.created: list[JobResource] = [job()]
        self.found: list[JobResource | None] = [job()]
        self.sizes: list[int | None] = [10]
        self.asked: list[str] = []

    async def list_versions(self, _: ListedSource) -> list[ListedSource]:
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        return [] if version is None else [version]

    async def create_download(self, _: ListedSource) -> JobResource:
        self.asked.append("create")
        return self.created.pop(0) if len(self.created) > 1 else self.created[0]

    async def find_download(self, _: ListedSource, job_id: str) -> JobResource | None:
        self.asked.append(f"find {job_id}")
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]

    async def get_load(self, _: ListedSource) -> None:
        return None

    async def fetch(self, url: str, file: Path) -> int | None:
        self.asked.append(url)
        size = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        if size is not None:
            await asyncio.to_thread(file.write_bytes, b"x" * size)
        return size


class Here:
    """This side: the version that was loaded last."""

    account = SimpleNamespace(name="contoso")

    def __init__(self) -> None:
        self.version: DataSourceVersion | None = None
        self.loads: list[str] = []
        self.loses = False

    async def find_version(self, _: ListedSource) -> DataSourceVersion | None:
        return self.version

    async def has_loaded(self, _: ListedSource, job_id: str) -> bool:
        return job_id in self.loads

    async def is_free(self, _: ListedSource, job_id: str) -> bool:
        return job_id not in self.loads

    async def digest_file(self, folder: Path) -> EntityDigest:
        return EntityDigest("Shop", "s", 2, 0, str((folder / DATA).stat().st_size))

    async def digest_version(self, version: DataSourceVersion, _: Path) -> EntityDigest:
        return EntityDigest("Shop", "s", 2, 0, version.schema)

    def new_load(self, _: ListedSource, load_id: str | None = None) -> JobRecord:
        row_key = load_id or f"{len(self.loads):032x}"
        return JobRecord(row_key=row_key, job_type=JobType.COMPLETE, status=JobStatus.PENDING, created=Ticks(0))

    async def load(self, _: ListedSource, planned: PlannedLoad, folder: Path) -> None:
        job_id = planned.record.row_key
        self.loads.append(job_id)
        blob, digest = BlobPath("datasources", job_id), str((folder / DATA).stat().st_size)
        self.version = (
            None
            if self.loses
            else DataSourceVersion(
                job_id=job_id, blob=blob, entity_type="Shop", schema=digest, entities=2, updated=Ticks(0)
            )
        )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[MigrationState]:
    with open_state(tmp_path, "https://service.example", "contoso") as opened:
        yield opened


def copy(
    service: Service, here: Here, state: MigrationState, version: ListedSource = SOURCE, **listed: JobRecord
) -> str:
    """Copies the data source once; returns the differences."""
    backoff = Backoff(Lines(), first_poll_seconds=0)
    copier = VersionCopier(cast("SourceAccount", service), cast("TargetAccount", here), state, backoff)
    copier.know_jobs(listed)
    return asyncio.run(copier.copy(version)).differences


def test_a_copy_has_the_id_of_the_services_own_job(state: MigrationState) -> None:
    here, row_key = Here(), "ab" * 16
    own = JobRecord(row_key=row_key, job_type=JobType.COMPLETE, status=JobStatus.COMPLETED, created=Ticks(0))
    assert copy(Service(), here, state, j1=replace(own, legacy_id="j1")) == ""
    assert here.loads == [row_key]


def test_a_staged_version_has_an_id_of_the_second_in_which_it_was_uploaded(state: MigrationState) -> None:
    staged = replace(SOURCE, is_staging=True, is_active=False)
    uploaded = parse_ticks(staged.updated)
    created = Ticks(uploaded + PER_SECOND - 1)
    own = JobRecord(row_key="ab" * 16, job_type=JobType.COMPLETE_STAGING, status=JobStatus.COMPLETED, created=created)
    here = Here()
    copy(Service(staged), here, state, staged, j1=own)
    assert [created_at(job_id) for job_id in here.loads] == [uploaded]


def test_a_service_that_tells_nothing_of_a_load_is_copied_all_the_same(state: MigrationState) -> None:
    class Silent(Service):
        async def get_load(self, _: ListedSource) -> None:
            raise NotCopiedError("HTTP 400")

    here = Here()
    assert copy(Silent(), here, state) == ""
    assert here.loads == [f"{0:032x}"]


def test_an_id_that_is_taken_here_is_not_used_again(state: MigrationState) -> None:
    here, row_key = Here(), "ab" * 16
    here.loads.append(row_key)
    own = JobRecord(row_key=row_key, job_type=JobType.COMPLETE, status=JobStatus.COMPLETED, created=Ticks(0))
    copy(Service(), here, state, j1=own)
    assert here.loads[1:] == [f"{1:032x}"]


def test_a_pending_export_is_waited_for(state: MigrationState) -> None:
    service = Service()
    service.created, service.found = [job("d1", "Pending")], [job("d1", "Pending"), None, job("d1")]
    copy(service, Here(), state)
    assert service.asked == ["create", "find d1", "find d1", "find d1", LINK.url]


def test_an_export_that_is_lost_is_made_again_by_the_next_run_and_never_twice_in_one(state: MigrationState) -> None:
    service = Service()
    service.created, service.found = [job("d1", "Pending")], [None]
    with pytest.raises(NotCopiedError, match="does not find the download d1 that it began"):
        copy(service, Here(), state)
    assert service.asked == ["create", *["find d1"] * FAILURES]
    service.created = [job("d2")]
    copy(service, Here(), state)
    assert service.asked[1 + FAILURES :] == ["create", LINK.url]


@pytest.mark.parametrize(("days", "is_replaced"), [(-1, True), (1, False)])
def test_a_version_here_that_is_newer_than_the_services_is_not_replaced_where_the_state_is_lost(
    state: MigrationState, days: int, *, is_replaced: bool
) -> None:
    here = Here()
    updated = Ticks(parse_ticks(SOURCE.updated) + days * 86_400 * PER_SECOND)
    copy(Service(), here, MigrationState(state.folder, "", ""))
    assert here.version is not None
    newer = here.version = replace(here.version, job_id="own", schema="other", updated=updated)
    if is_replaced:
        copy(Service(), here, state)
    else:
        with pytest.raises(NotCopiedError, match="later than at the service"):
            copy(Service(), here, state)
    assert (here.version != newer) is is_replaced


def test_a_copy_that_differs_is_made_again_by_the_next_run_and_is_never_unchanged(state: MigrationState) -> None:
    service, here = Service(), Here()
    service.created = [replace(job(), counts=EntityCounts(3, 3, 0))]
    for _ in range(2):
        assert "the service counts 3 entities, and its file has 2" in copy(service, here, state)
    assert service.asked.count("create") == 2


def test_an_export_without_a_link_is_fetched_where_clients_look(state: MigrationState) -> None:
    service = Service()
    service.created = [job("d1", "Completed", Link("self", "x"))]
    copy(service, Here(), state)
    assert service.asked[-1] == "Dataflows/DataSourceDownload/Shops/output/succeeded"


@pytest.mark.parametrize("reason", ["No room.", None])
def test_an_export_that_the_service_gives_up_is_named_and_asked_for_anew(
    state: MigrationState, reason: str | None
) -> None:
    service = Service()
    service.created = [job("d1", "Aborted", error_message=reason), job("d2")]
    with pytest.raises(NotCopiedError, match=f"the service can't export it: {reason or 'it gives no reason'}"):
        copy(service, Here(), state)
    assert copy(service, Here(), state) == ""


def test_an_export_that_is_gone_is_asked_for_anew(state: MigrationState) -> None:
    service = Service()
    service.sizes = [None, 10]
    with pytest.raises(NotCopiedError, match="does not have its export any more"):
        copy(service, Here(), state)
    assert copy(service, Here(), state) == ""
    assert service.asked.count("create") == 2


def test_a_data_source_that_always_changes_is_listed(state: MigrationState) -> None:
    changed = (replace(SOURCE, updated=f"2026-01-02T03:04:{second:02}Z") for second in range(10, 20))
    service = Service(*changed)
    with pytest.raises(NotCopiedError, match=f"it changed {MAX_COPIES} times while it was copied"):
        copy(service, Here(), state)


def test_a_data_source_that_goes_while_it_is_copied_is_listed(state: MigrationState) -> None:
    with pytest.raises(NotCopiedError, match="it was deleted or published at the service"):
        copy(Service(None), Here(), state)


def test_a_version_that_goes_here_while_it_is_compared_is_listed(state: MigrationState) -> None:
    here = Here()
    here.loses = True
    with pytest.raises(NotCopiedError, match="something else deletes it here"):
        copy(Service(), here, state)


def test_a_date_that_is_none_is_left_to_storage(state: MigrationState) -> None:
    undated = replace(SOURCE, updated="")
    assert copy(Service(undated), Here(), state, undated) == ""
