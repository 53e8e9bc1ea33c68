"""Records of data sources and their versions."""

from dataclasses import dataclass

from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, format_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSourceVersion:
    """One version of a data source's entities, named by the id of the job that made it.

    `blob` holds the entities. `schema` is the text of their entity type, of at most 32,000 characters; opaque here.
    """

    job_id: str
    blob: BlobPath
    entity_type: str
    schema: str
    entities: int
    updated: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """One data source.

    `master_key` and `query_key` are digests, `sha256:` and hex digits. `earlier` holds at most two versions before the
    published one, the newest first. `applied` holds the ids of the newest 20 jobs whose effect is in this row, so that
    a repeated job finds its own id. `deleting` is the id of a running delete job.
    """

    name: str
    access_id: str
    created: Ticks
    is_public: bool = False
    master_key: str | None = None
    query_key: str | None = None
    published: DataSourceVersion | None = None
    earlier: tuple[DataSourceVersion, ...] = ()
    staged: DataSourceVersion | None = None
    staged_until: Ticks | None = None
    applied: tuple[str, ...] = ()
    deleting: str | None = None

    @property
    def identity(self) -> str:
        """Distinguishes it from a later data source of the same name."""
        return f"{self.access_id} {format_ticks(self.created)}"
