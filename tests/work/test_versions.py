"""What jobs do to the versions of a data source, apart from storage."""

from dataclasses import replace

import pytest

from adapters.datasources import DataSource, Version
from adapters.records import BlobPath
from adapters.ticks import PER_SECOND, Ticks
from proxy.work.versions import (
    NoVersionError,
    is_bare,
    once,
    published,
    rolled_back,
    staged,
    switched,
    versions,
    without_ended,
)

DAY = 86_400 * PER_SECOND
START = Ticks(1000 * DAY)


def version(name: str, updated: Ticks = START) -> Version:
    blob = BlobPath("datasources", name)
    return Version(job_id=name, blob=blob, entity_type="Shops", schema="{}", entities=1, updated=updated)


def source(*names: str) -> DataSource:
    """A data source whose current and earlier versions have these names, the current first."""
    made = DataSource(name="Shops", access_id="acc", created=START)
    for name in reversed(names):
        made = switched(made, version(name))
    return made


def names(source: DataSource) -> list[str]:
    return [each.job_id for each in versions(source)]


def test_a_new_version_shifts_the_others() -> None:
    assert names(switched(source("c", "b", "a"), version("d"))) == ["d", "c", "b"]


def test_a_rollback_keeps_all_versions() -> None:
    assert names(rolled_back(source("c", "b", "a"), "b")) == ["b", "c", "a"]
    assert names(rolled_back(source("c", "b", "a"), "a")) == ["a", "c", "b"]


def test_a_rollback_to_the_current_or_an_unknown_version_is_refused() -> None:
    for name in ("c", "x"):
        with pytest.raises(NoVersionError):
            rolled_back(source("c", "b"), name)


def test_publishing_takes_the_name_of_its_job_and_leaves_nothing_staged() -> None:
    after = published(staged(source("b", "a"), version("s")), "p", Ticks(START + DAY))
    assert names(after) == ["p", "b", "a"]
    assert after.published == replace(version("s", Ticks(START + DAY)), job_id="p")
    assert after.staged_until is None


def test_a_staged_version_ends_after_thirty_days() -> None:
    before = staged(source("a"), version("s"))
    last, over = Ticks(START + 30 * DAY - 1), Ticks(START + 30 * DAY)
    assert without_ended(before, last) is before
    assert names(published(before, "p", last)) == ["p", "a"]
    assert without_ended(before, over) == source("a")
    with pytest.raises(NoVersionError):
        published(before, "p", over)


def test_a_data_source_of_nothing_but_an_ended_version_ends() -> None:
    assert without_ended(staged(source(), version("s")), Ticks(START + 30 * DAY)) is None
    assert is_bare(source())


def test_staging_replaces_what_was_staged() -> None:
    assert names(staged(staged(source("a"), version("s")), version("t"))) == ["a", "t"]


def test_a_job_done_again_changes_nothing() -> None:
    change = once("job", lambda found: switched(found, version("b")))
    first = change(source("a"))
    assert names(first) == ["b", "a"]
    assert change(first) is first
