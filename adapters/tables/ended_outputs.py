"""Outputs of jobs that have ended: a row names them until their time is over, and then until they are deleted."""

from dataclasses import dataclass

from adapters.model.jobs import BlobPath
from adapters.tables.properties import Row, WarnRow, read_blob_path, read_text

_NAMES = ("OutputBlob", "FailedBlob")


@dataclass(frozen=True, slots=True)
class EndedOutputs:
    """A job's outputs, by the few properties that a scan reads.

    Attributes:
        row_key: the job's id.
        blobs: what the row offers, and what it has named as dropped.
        is_offered: whether the row still offers one of them.
        etag: the row's.
    """

    row_key: str
    blobs: tuple[BlobPath, ...]
    is_offered: bool
    etag: str

    WHERE = "CompletedDate lt datetime'{}' and (OutputBlob gt '' or FailedBlob gt '' or Dropped gt '')"
    SELECT = "RowKey,OutputBlob,FailedBlob,Dropped"

    def dropped(self) -> dict[str, str]:
        """The properties of a row that offers them no more."""
        return {**dict.fromkeys(_NAMES, ""), "Dropped": "\n".join(map(str, self.blobs))}


def read_ended_outputs(row: Row, warn: WarnRow) -> EndedOutputs:
    """The outputs that a row of the scan names."""
    offered = [path for name in _NAMES if (path := read_blob_path(row, name, warn)) is not None]
    texts = (read_text(row, "Dropped", warn) or "").splitlines()
    dropped = [path for text in texts if (path := BlobPath.parse(text)) is not None]
    is_offered = any(row.get(name) for name in _NAMES)
    return EndedOutputs(row["RowKey"], tuple(dict.fromkeys((*offered, *dropped))), is_offered, row["odata.etag"])
