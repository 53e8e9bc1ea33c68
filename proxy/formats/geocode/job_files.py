"""The files of a geocode job: the requests as they were sent, and the two outputs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Protocol

from adapters.model.geocoding import Answer
from proxy.formats.decompression import open_input
from proxy.formats.geocode.outcomes import Outcome, decide_outcome
from proxy.formats.geocode.requests import Question, Row
from proxy.formats.geocode.text_reader import TextRequests
from proxy.formats.geocode.xml_reader import XmlRequests
from proxy.formats.limits import LoadLimits
from proxy.formats.parser_errors import translate_errors
from proxy.formats.schema import InvalidDataError

_UNEXPECTED = "the data can't be read: it is not as its format has it"
_TRACE_BYTES = 16
_BUFFER = 256 * 1024
"""Characters of an output that are written at once."""


class RequestFormat(StrEnum):
    """The values of `input`."""

    XML = "xml"
    CSV = "csv"
    TAB = "tab"
    PIPE = "pipe"


_SEPARATORS = {RequestFormat.CSV: ",", RequestFormat.TAB: "\t", RequestFormat.PIPE: "|"}


class Renderer(Protocol):
    """Writes outputs in the format and version of an input."""

    head: str
    tail: str
    has_trace_ids: bool

    def render(self, row: Row, outcome: Outcome, trace_id: str) -> str:
        """A row of an output, with its line end."""
        ...


@dataclass(frozen=True, slots=True)
class Requests:
    """A file that is open. Its rows come once, in its order."""

    rows: Iterator[Row]
    renderer: Renderer


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a job; the total includes those that failed."""

    total: int
    failed: int


@contextmanager
def open_requests(file: Path, form: RequestFormat, limits: LoadLimits) -> Iterator[Requests]:
    """The requests of a file, which is plain, gzip or ZIP.

    Args:
        file: the file as it was sent.
        form: its format.
        limits: the most rows and bytes.

    Raises:
        InvalidDataError: the file can't be read, found here or while its rows are read.
    """
    with open_input(file, limits.unpacked_bytes) as data:
        with translate_errors(_UNEXPECTED, expected=False):
            requests = XmlRequests(data) if form is RequestFormat.XML else TextRequests(data, _SEPARATORS[form])
        yield Requests(_read_rows(iter(requests), limits.entities), requests.renderer)


def _read_rows(rows: Iterator[Row], most: int) -> Iterator[Row]:
    with translate_errors(_UNEXPECTED, expected=False):
        for number, row in enumerate(rows, 1):
            if number > most:
                raise InvalidDataError(f"there are more than {most:,} rows")
            yield row


def write_outputs(
    requests: Requests,
    find_answer: Callable[[Question], Answer | None],
    succeeded: BinaryIO,
    failed: BinaryIO,
    job_id: str,
) -> Counts:
    """Writes both outputs, rows in the order of the input. An output without rows stays empty.

    Args:
        requests: the requests, which are read.
        find_answer: gives the answer to a question, None where there is none.
        succeeded: the output of rows that have a place.
        failed: the output of the others.
        job_id: the job's id; the same job gets the same bytes again, trace ids too.

    Raises:
        InvalidDataError: the requests can't be read.
    """
    renderer, total = requests.renderer, 0
    outputs = (_Output(succeeded, renderer), _Output(failed, renderer))
    for total, row in enumerate(requests.rows, 1):
        outcome = decide_outcome(row, find_answer(row.question) if row.question is not None else None)
        trace_id = _trace_id(job_id, total) if renderer.has_trace_ids else ""
        outputs[not outcome.places].write(renderer.render(row, outcome, trace_id))
    for output in outputs:
        output.finish()
    return Counts(total, outputs[1].rows)


def _trace_id(job_id: str, number: int) -> str:
    return blake2b(f"{job_id} {number}".encode(), digest_size=_TRACE_BYTES).hexdigest()


class _Output:
    """An output that begins with its first row."""

    def __init__(self, out: BinaryIO, renderer: Renderer) -> None:
        self._out, self._renderer = out, renderer
        self._pending: list[str] = []
        self._size = self.rows = 0

    def write(self, text: str) -> None:
        if not self.rows:
            self._pending.append(self._renderer.head)
        self.rows += 1
        self._pending.append(text)
        self._size += len(text)
        if self._size > _BUFFER:
            self._flush()

    def finish(self) -> None:
        if self.rows:
            self._pending.append(self._renderer.tail)
            self._flush()

    def _flush(self) -> None:
        self._out.write("".join(self._pending).encode())
        self._pending.clear()
        self._size = 0
