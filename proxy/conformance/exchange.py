"""Requests and their answers, as rules see them. A request names the key that it carries and never holds it."""

from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from urllib.parse import quote

from proxy.conformance.contract import JSON, ROOT, STATUS_PATHS, BodyFormat, StatusPath


class KeyChoice(Enum):
    """The key that a request carries, by what a report shows for it."""

    MASTER = "KEY"
    QUERY = "QUERY-KEY"
    NONE = None
    EMPTY = ""
    WRONG = "made-up"
    OTHER_CASE = "other-case"


# Why a request is made; rules choose their exchanges by it.
Purpose = Enum(
    "Purpose",
    """
    LIST LIST_AGAIN LIST_CASE LIST_SLASH LIST_UPGRADE LIST_OUTPUT LIST_ALIAS LIST_PARAMETER_CASE LIST_VALUE_CASE
    LIST_KEY_NAME LIST_FIRST_OUTPUT LIST_EMPTY_OUTPUT LIST_UNKNOWN_PARAMETER LIST_ACCEPT LIST_OTHER_HOST LIST_QUERY_KEY
    NO_KEY WRONG_KEY OTHER_CASE_KEY NO_KEY_BAD_OUTPUT WRONG_KEY_KNOWN_JOB WRONG_KEY_NO_JOB
    QUERY_KEY_JOB QUERY_KEY_NO_JOB QUERY_KEY_OUTPUT QUERY_KEY_GEOCODE QUERY_KEY_INFORMATION
    NO_PATH NO_JOB ODD_ID NAME_LONGEST NAME_TOO_LONG NAME_BAD NAME_ENCODED NAME_RAW NAME_HYPHEN BAD_OUTPUT POST_ONLY
    STATUS STATUS_CASE STATUS_SLASH STATUS_SELF STATUS_WRONG_KIND HEAD
    DOWNLOAD DOWNLOAD_CASE DOWNLOAD_ENCODED DOWNLOAD_ID
    OUTPUT OUTPUT_CASE OUTPUT_LISTED OUTPUT_DOWNLOAD OUTPUT_NO_KEY OUTPUT_MISSING OUTPUT_UNLINKED HEAD_OUTPUT
    LINK_APPENDED LINK_DROPPED LINK_HEAD LOCATION
    """,
)

# Answered with bytes of any length instead of an envelope.
OUTPUTS = {each for each in Purpose if each.name.startswith("OUTPUT")} | {Purpose.QUERY_KEY_INFORMATION}


@dataclass(frozen=True, slots=True)
class JobUnderTest:
    """The job that a request is about, as the list or a link described it."""

    id: str
    job_type: str
    status: str = ""
    name: str = ""

    @property
    def status_path(self) -> StatusPath:
        """The kind of its status URL."""
        return STATUS_PATHS[self.job_type]

    @property
    def path(self) -> str:
        """The path of its status: by id, that of a download by name."""
        return self.status_path.path.format(segment(self.id or self.name))


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    `path` is percent-encoded and stands below `root`, which is /REST/v1/ in any letter case. Where `is_link`, `path` is
    a whole URL, which gets no key. `query` stands before the key.
    """

    purpose: Purpose
    path: str
    query: str = ""
    format: BodyFormat = JSON
    method: str = "GET"
    key: KeyChoice = KeyChoice.MASTER
    key_name: str = "key"
    headers: tuple[tuple[str, str], ...] = ()
    job: JobUnderTest | None = None
    is_link: bool = False
    root: str = ROOT

    def target(self, key: str | None) -> str:
        """The path and the query, with the key unless it is None."""
        pairs = [self.query] * bool(self.query)
        if key is not None:
            pairs.append(f"{self.key_name}={quote(key, safe='')}")
        return self.path + ("?" + "&".join(pairs) if pairs else "")

    @property
    def label(self) -> str:
        """The request as a report shows it: without keys, and a link without its query."""
        if self.is_link:
            return f"{self.method} {self.path.partition('?')[0]}?..."
        target = ("" if self.root == ROOT else self.root) + self.target(self.key.value)
        return f"{self.method} {target}" + "".join(f" ({name}: {value})" for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. Without an answer, `failure` is a sentence and the status is 0."""

    request: Request
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    failure: str = ""

    @property
    def exchange(self) -> "Exchange":
        """The exchange itself, as envelopes, jobs and links have theirs."""
        return self

    def header(self, name: str) -> str | None:
        """The first header of this name, in any letter case."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)

    def show(self, *headers: str) -> str:
        """The status and these headers."""
        return ", ".join([self.status_line, *(f"{name}: {self.header(name) or 'none'}" for name in headers)])

    @property
    def status_line(self) -> str:
        """The beginning of the answer."""
        return f"HTTP {self.status} {self.reason}".rstrip()

    @property
    def is_envelope(self) -> bool:
        """Whether the contract wants an envelope: not from storage, nor for a redirect, an output or HEAD."""
        if self.request.is_link or self.failure or self.request.method == "HEAD":
            return False
        is_output = self.request.purpose in OUTPUTS and self.status < HTTPStatus.BAD_REQUEST
        return not is_output and self.status != HTTPStatus.FOUND


def segment(text: str) -> str:
    """Any text as one segment of a path."""
    return quote(text, safe="", errors="replace")
