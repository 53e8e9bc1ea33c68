"""The effect of each job on the versions of a data source: pure functions, applied by one conditional write.

A worker may run a job twice. `idempotent` makes the second run change nothing.
"""

from collections.abc import Callable
from dataclasses import replace

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.ticks import PER_SECOND, Ticks

MAX_EARLIER = 2
STAGED_TICKS = 30 * 86_400 * PER_SECOND
"""The lifetime of a staged version (LoadOperation: "not published are deleted after 30 days")."""

Change = Callable[[DataSource], DataSource]


class DamagedVersionError(Exception):
    """A version's blob or file is not what was written. The text is fit for a log."""


class VersionNotFoundError(Exception):
    """The data source has no such version. The text is for the job's owner."""


def idempotent(job_id: str, change: Change) -> Change:
    """Wraps a change so that it does nothing where the row has the job's effect already."""

    def changed(source: DataSource) -> DataSource:
        if job_id in source.applied:
            return source
        return replace(change(source), applied=(*source.applied, job_id))

    return changed


def publish_version(source: DataSource, version: DataSourceVersion) -> DataSource:
    """Publishes a version; the one published before becomes the first of the earlier ones."""
    before = () if source.published is None else (source.published,)
    return replace(source, published=version, earlier=(*before, *source.earlier)[:MAX_EARLIER])


def stage_version(source: DataSource, version: DataSourceVersion) -> DataSource:
    """Stages a version for 30 days from its date, in the place of one staged before."""
    return replace(source, staged=version, staged_until=Ticks(version.updated + STAGED_TICKS))


def publish_staged(source: DataSource, job_id: str, now: Ticks) -> DataSource:
    """Publishes the staged version, under the id of the job that publishes it.

    Raises:
        VersionNotFoundError: nothing is staged, or it has expired.
    """
    version = staged_version(source, now)
    if version is None:
        raise VersionNotFoundError("the data source has no staged version")
    return publish_version(without_staged(source), replace(version, job_id=job_id, updated=now))


def roll_back(source: DataSource, version_id: str) -> DataSource:
    """Publishes an earlier version again and keeps the other one.

    The version published before becomes the first of the earlier ones, so that a rollback can be rolled back too.

    Raises:
        VersionNotFoundError: there is no such earlier version.
    """
    version = next((each for each in source.earlier if each.job_id == version_id), None)
    if version is None:
        raise VersionNotFoundError("the data source has no such earlier version")
    others = tuple(each for each in source.earlier if each is not version)
    return publish_version(replace(source, earlier=others), version)


def without_staged(source: DataSource) -> DataSource:
    """Removes the staged version, if there is one."""
    return replace(source, staged=None, staged_until=None)


def expire_staged(source: DataSource, now: Ticks) -> DataSource | None:
    """Removes an expired staged version; None where the data source has no other version."""
    if source.staged is None or staged_version(source, now) is not None:
        return source
    return None if has_no_versions(left := without_staged(source)) else left


def staged_version(source: DataSource, now: Ticks) -> DataSourceVersion | None:
    """The staged version, unless it has expired."""
    has_expired = source.staged_until is not None and source.staged_until <= now
    return None if has_expired else source.staged


def has_no_versions(source: DataSource) -> bool:
    """Whether the data source has no version."""
    return source.published is None and source.staged is None and not source.earlier


def list_versions(source: DataSource, now: Ticks | None = None) -> list[DataSourceVersion]:
    """The versions of a data source: the published one, the staged one, then the earlier ones, the newest first.

    Args:
        source: the data source.
        now: leaves out a staged version that has expired by this instant. None includes it: its blob still exists.
    """
    staged = source.staged if now is None else staged_version(source, now)
    return [each for each in (source.published, staged, *source.earlier) if each is not None]


def find_version(source: DataSource, job_id: str, now: Ticks) -> DataSourceVersion | None:
    """The version that the job of this id made, the id in any letter case; None where there is none."""
    return next((each for each in list_versions(source, now) if each.job_id == job_id.lower()), None)
