"""What each job does to the versions of a data source: pure functions, so that one conditional write is the whole step.

A worker may do a job twice. `once` lets the second time change nothing.
"""

from collections.abc import Callable
from dataclasses import replace

from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.data_source_store import DataSource, DataSourceVersion

EARLIER_KEPT = 2
STAGED_TICKS = 30 * 86_400 * PER_SECOND
"""How long a staged version stays (LoadOperation: "not published are deleted after 30 days")."""

Change = Callable[[DataSource], DataSource]


class VersionNotFoundError(Exception):
    """The data source has no such version. The text is for the job's owner."""


def idempotent(job_id: str, change: Change) -> Change:
    """The same change, which does nothing where the job's effect is in the row already."""

    def changed(source: DataSource) -> DataSource:
        if job_id in source.applied:
            return source
        return replace(change(source), applied=(*source.applied, job_id))

    return changed


def publish_version(source: DataSource, version: DataSourceVersion) -> DataSource:
    """Makes a new version current; what was current is the first of the earlier ones."""
    before = () if source.published is None else (source.published,)
    return replace(source, published=version, earlier=(*before, *source.earlier)[:EARLIER_KEPT])


def stage_version(source: DataSource, version: DataSourceVersion) -> DataSource:
    """Stages a new version in the place of the one that was staged, for 30 days from its date."""
    return replace(source, staged=version, staged_until=Ticks(version.updated + STAGED_TICKS))


def publish_staged(source: DataSource, job_id: str, now: Ticks) -> DataSource:
    """Makes the staged version current, under the id of the job that publishes it.

    Raises:
        NoVersionError: nothing is staged, or its time is over.
    """
    version = staged_version(source, now)
    if version is None:
        raise VersionNotFoundError("the data source has no staged version")
    return publish_version(without_staged(source), replace(version, job_id=job_id, updated=now))


def roll_back(source: DataSource, version_id: str) -> DataSource:
    """Makes an earlier version current again and keeps the other earlier one.

    What was current takes the first place of the earlier ones, so that a rollback can be rolled back too.

    Raises:
        NoVersionError: there is no such earlier version.
    """
    version = next((each for each in source.earlier if each.job_id == version_id), None)
    if version is None:
        raise VersionNotFoundError("the data source has no such earlier version")
    others = tuple(each for each in source.earlier if each is not version)
    return publish_version(replace(source, earlier=others), version)


def without_staged(source: DataSource) -> DataSource:
    """Takes the staged version away, if there is one."""
    return replace(source, staged=None, staged_until=None)


def expire_staged(source: DataSource, now: Ticks) -> DataSource | None:
    """Takes a staged version away whose time is over; None where the data source had nothing else."""
    if source.staged is None or staged_version(source, now) is not None:
        return source
    return None if has_no_versions(left := without_staged(source)) else left


def staged_version(source: DataSource, now: Ticks) -> DataSourceVersion | None:
    """The staged version, unless its time is over."""
    is_over = source.staged_until is not None and source.staged_until <= now
    return None if is_over else source.staged


def has_no_versions(source: DataSource) -> bool:
    """Whether no version is left."""
    return source.published is None and source.staged is None and not source.earlier


def versions(source: DataSource) -> list[DataSourceVersion]:
    """Every version that the data source refers to."""
    return [each for each in (source.published, source.staged, *source.earlier) if each is not None]
