"""The effect of jobs on the versions of a data source, without storage."""

from dataclasses import replace

import pytest

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.jobs import BlobPath
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.versions import (
    VersionNotFoundError,
    expire_staged,
    has_no_versions,
    idempotent,
    list_versions,
    publish_staged,
    publish_version,
    roll_back,
    stage_version,
)

DAY = 86_400 * PER_SECOND
START = Ticks(1000 * DAY)


def version(name: str, updated: Ticks = START) -> DataSourceVersion:
    blob = BlobPath("datasources", name)
    return DataSourceVersion(job_id=name, blob=blob, entity_type="Shops", schema="{}", entities=1, updated=updated)


def source(*names: str) -> DataSource:
    """A data source whose current and earlier versions have these names, the current first."""
    made = DataSource(name="Shops", access_id="acc", created=START)
    for name in reversed(names):
        made = publish_version(made, version(name))
    return made


def names(source: DataSource) -> list[str]:
    return [each.job_id for each in list_versions(source)]


def test_publish_shifts_the_earlier_versions() -> None:
    assert names(publish_version(source("c", "b", "a"), version("d"))) == ["d", "c", "b"]


def test_rollback_keeps_all_versions() -> None:
    assert names(roll_back(source("c", "b", "a"), "b")) == ["b", "c", "a"]
    assert names(roll_back(source("c", "b", "a"), "a")) == ["a", "c", "b"]


def test_rollback_to_an_unknown_version_is_refused() -> None:
    for name in ("c", "x"):
        with pytest.raises(VersionNotFoundError):
            roll_back(source("c", "b"), name)


def test_publish_staged_renames_the_version() -> None:
    after = publish_staged(stage_version(source("b", "a"), version("s")), "p", Ticks(START + DAY))
    assert names(after) == ["p", "b", "a"]
    assert after.published == replace(version("s", Ticks(START + DAY)), job_id="p")
    assert after.staged_until is None


def test_staged_version_expires_after_thirty_days() -> None:
    before = stage_version(source("a"), version("s"))
    last, over = Ticks(START + 30 * DAY - 1), Ticks(START + 30 * DAY)
    assert expire_staged(before, last) is before
    assert names(publish_staged(before, "p", last)) == ["p", "a"]
    assert expire_staged(before, over) == source("a")
    with pytest.raises(VersionNotFoundError):
        publish_staged(before, "p", over)


def test_data_source_with_only_an_expired_version_ends() -> None:
    assert expire_staged(stage_version(source(), version("s")), Ticks(START + 30 * DAY)) is None
    assert has_no_versions(source())


def test_staging_replaces_a_staged_version() -> None:
    assert names(stage_version(stage_version(source("a"), version("s")), version("t"))) == ["a", "t"]


def test_repeated_job_changes_nothing() -> None:
    change = idempotent("job", lambda found: publish_version(found, version("b")))
    first = change(source("a"))
    assert names(first) == ["b", "a"]
    assert change(first) is first
