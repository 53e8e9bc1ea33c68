"""The expected state of a data source after its jobs, done one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Content = dict[str, str]
"""The entities of a version: each id with its note."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The data of a load."""

    rows: Content
    deleted: frozenset[str] = frozenset()

    def applied_to(self, base: Content) -> Content:
        """The version that an incremental load makes of a base."""
        return {id_: note for id_, note in base.items() if id_ not in self.deleted} | self.rows


@dataclass(slots=True)
class Expected:
    """The versions of a data source, each by its id and its content."""

    published: tuple[str, Content] | None = None
    earlier: list[tuple[str, Content]] = field(default_factory=list)
    staged: tuple[str, Content] | None = None

    def do(self, job: Mapping[str, Any], work: Mapping[str, Any], sent: Sent | None) -> str | None:
        """Applies a job. If the job must abort, returns a part of the expected reason."""
        match job["JobType"]:
            case "DataSourcePublishFromStaged":
                return self._publish(job["RowKey"])
            case "DataSourceRollback":
                return self._roll_back(work["version"])
            case "DataSourceDownload":
                return None if self.published else "no such"
            case "DataSourceDelete":
                self.staged = None
                if not work["staging"]:
                    self.published, self.earlier = None, []
                return None
        assert sent is not None, "a load that no client sent"
        return self._load(job["RowKey"], work["operation"], sent)

    def _load(self, id_: str, operation: str, sent: Sent) -> str | None:
        is_staging, base = operation.endswith("Staging"), None
        if operation.startswith("incremental"):
            base = (self.staged if is_staging else None) or self.published
            if base is None:
                return "no version to update"
        version = (id_, sent.applied_to(base[1] if base else {}))
        if is_staging:
            self.staged = version
        else:
            self._switch(version)
        return None

    def _publish(self, id_: str) -> str | None:
        if self.staged is None:
            return "no staged version" if self.is_there else "no such data source"
        staged, self.staged = self.staged, None
        self._switch((id_, staged[1]))
        return None

    def _roll_back(self, id_: str) -> str | None:
        found = next((each for each in self.earlier if each[0] == id_), None)
        if found is None:
            return "no such earlier version" if self.is_there else "no such data source"
        self.earlier.remove(found)
        self._switch(found)
        return None

    @property
    def is_there(self) -> bool:
        """Whether the data source exists."""
        return bool(self.published or self.staged or self.earlier)

    def _switch(self, version: tuple[str, Content]) -> None:
        before = [] if self.published is None else [self.published]
        self.earlier, self.published = [*before, *self.earlier][:2], version
