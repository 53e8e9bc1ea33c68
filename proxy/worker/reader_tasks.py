"""The tasks of a reader process, the files that it reads and writes, and its answers.

Imports nothing that reads data, so that the worker itself need not load any of it.
"""

import errno
from dataclasses import dataclass
from typing import ClassVar

# Files in the job's folder. The worker fetches the first two and sends the others.
DATA = "data"
BASE = "base.parquet"
VERSION = "version.parquet"
FAILURES = "failed.txt"
EXPORT = "export.xml"

CRASH = "crash.txt"
"""Where a reader that crashes was, for the worker's log."""

# Errors of a local file that are the worker's own: no folder, no room, a broken disk. A job is not to blame for them.
LOCAL_ERRORS = frozenset(
    (
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EACCES,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
    )
)


@dataclass(frozen=True, slots=True)
class LoadTask:
    """Make a version of a load's data: VERSION and FAILURES of DATA, and of BASE where the load is incremental.

    `form` is the load's `input`; `base` is the schema of the entities in BASE, as `EntityType.to_json` writes it.
    The answer is a `LoadedVersion`.
    """

    kind: ClassVar[str] = "load"
    folder: str
    input_format: str
    most_entities: int
    most_bytes: int
    base: str | None


@dataclass(frozen=True, slots=True)
class ExportTask:
    """Write the entities of VERSION to EXPORT; `schema` is theirs. There is no answer.

    `data_source` is the name of the data source, which the export gives to its data set.
    """

    kind: ClassVar[str] = "export"
    folder: str
    schema: str
    data_source: str


Task = LoadTask | ExportTask


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """The version that a load has made: its entity type's name, its schema as JSON, and how many entities it has."""

    entity_type: str
    schema: str
    entities: int
