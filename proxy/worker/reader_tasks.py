"""The tasks of a reader process, their files, and their results.

Imports nothing that reads data, so that the worker itself loads none of it.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from proxy.worker.geocoding.tasks import OutputTask, PlanTask

ReportProgress = Callable[[int, int], None]
"""Receives the counts so far: entities that were read, and those of them that failed."""

# Files in the job's directory. The worker downloads the first two and uploads the others.
DATA = "data"
BASE = "base.parquet"
VERSION = "version.parquet"
FAILURES = "failed.txt"
EXPORT = "export.xml"

CRASH = "crash.txt"
"""The stack of a reader that crashed, for the worker's log."""

# Errors of the worker's own disk: a missing directory, no room, no permission. They are no fault of the data.
_LOCAL = "ENOENT ENOTDIR EACCES ENOSPC EDQUOT EROFS EIO EMFILE ENFILE"
LOCAL_ERRORS = frozenset(getattr(errno, name) for name in _LOCAL.split())


@dataclass(frozen=True, slots=True)
class LoadTask:
    """Make VERSION and FAILURES of DATA, and of BASE if the load is incremental. The result is a `LoadedVersion`.

    Attributes:
        input_format: the load's `input`.
        most_entities: the most entities that the version may have.
        most_bytes: the most bytes that the data may unpack to.
        base: the schema of the entities in BASE, as `EntityType.to_json` writes it; None for a complete load.
    """

    kind: ClassVar[str] = "load"
    folder: str
    input_format: str
    most_entities: int
    most_bytes: int
    base: str | None


@dataclass(frozen=True, slots=True)
class PreviewTask:
    """Do what a `LoadTask` of the same members does. The result is a `LoadPreview`."""

    kind: ClassVar[str] = "preview"
    folder: str
    input_format: str
    most_entities: int
    most_bytes: int
    base: str | None


@dataclass(frozen=True, slots=True)
class ExportTask:
    """Write the entities of VERSION, which have this schema, to EXPORT. There is no result."""

    kind: ClassVar[str] = "export"
    folder: str
    schema: str
    data_source: str


@dataclass(frozen=True, slots=True)
class DigestTask:
    """Compute a digest of the entities of DATA, or of VERSION if a schema is given. The result is an `EntityDigest`.

    Attributes:
        input_format, most_entities, most_bytes: of DATA, as in a `LoadTask`.
        schema: the schema of the entities in VERSION, as `EntityType.to_json` writes it.
    """

    kind: ClassVar[str] = "digest"
    folder: str
    input_format: str
    most_entities: int
    most_bytes: int
    schema: str | None = None


Task = LoadTask | PreviewTask | ExportTask | DigestTask | PlanTask | OutputTask


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """The version that a load has made: its entity type's name, its schema as JSON, and its number of entities."""

    entity_type: str
    schema: str
    entities: int


@dataclass(frozen=True, slots=True)
class LoadPreview:
    """The version that a load would make, as a `LoadedVersion` has it, and the first entities of the data.

    Attributes:
        columns: the names of the first properties.
        rows: the texts of their values, cut, for each of the first entities; None where there is no value.
    """

    entity_type: str
    schema: str
    entities: int
    columns: list[str]
    rows: list[list[str | None]]


@dataclass(frozen=True, slots=True)
class EntityDigest:
    """The entity type's name, its schema as JSON, the entities that loaded and failed, and the digest of the former."""

    entity_type: str
    schema: str
    entities: int
    failed: int
    digest: str
