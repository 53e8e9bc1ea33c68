"""Which versions of a data source an answer tells of: the current one, the staged one, then up to two earlier ones."""

from collections.abc import Iterator

from adapters.model.job_ids import created_at, is_job_id
from adapters.model.ticks import Ticks
from adapters.tables.data_source_store import DataSource, DataSourceVersion
from proxy.wire.service_document import ServiceDocumentEntry


def staged_version(source: DataSource, now: Ticks) -> DataSourceVersion | None:
    """The staged version, unless its time is over."""
    is_over = source.staged_until is not None and source.staged_until <= now
    return None if is_over else source.staged


def versions(source: DataSource, now: Ticks, *, all_versions: bool = True) -> list[DataSourceVersion]:
    """The versions told, in their order; where not all are asked for, the first of them."""
    current, staged = source.published, staged_version(source, now)
    found = [version for version in (current, staged, *source.earlier) if version is not None]
    return found if all_versions else found[:1]


def version_of(source: DataSource, job_id: str, now: Ticks) -> DataSourceVersion | None:
    """The version that the job of this id made, the id in any letter case."""
    return next((version for version in versions(source, now) if version.job_id == job_id.lower()), None)


def version_entries(source: DataSource, now: Ticks, *, all_versions: bool) -> Iterator[ServiceDocumentEntry]:
    """What a service document tells of a data source."""
    for version in versions(source, now, all_versions=all_versions):
        is_staging = version is source.staged
        yield ServiceDocumentEntry(
            name=source.name,
            access_id=source.access_id,
            entity_type=version.entity_type,
            job_id=version.job_id,
            is_staging=is_staging,
            is_active=version is source.published,
            is_public=source.is_public and not is_staging,
            updated=version.updated,
            # The job that made it was created when its data came.
            uploaded=created_at(version.job_id) if is_job_id(version.job_id) else version.updated,
        )
