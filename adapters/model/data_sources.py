"""What a data source's row says."""

from dataclasses import dataclass

from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSourceVersion:
    """One version of a data source's entities, named by the id of the job that made it.

    `blob` holds the entities, `schema` the text of their entity type, opaque here and of at most 32,000 characters.
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

    `master_key` and `query_key` are digests, `sha256:` and hex digits. `earlier` holds the versions before the
    published one, the newest first, two at the most. `applied` holds the ids of jobs whose effect is in this row, so
    that a job done again finds itself there; the newest 20 are kept. `deleting` is the id of the delete job under way.
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
        """What tells it from another one of the same name that is made when it is deleted."""
        return f"{self.access_id} {to_text(self.created)}"
