"""Requests and their answers, as rules see them. A request names the key that it carries and never holds it."""

import re
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
    SOURCES SOURCE_VERSIONS SOURCE_METADATA
    FIND_FIRST FIND_ALL FIND_ONE FIND_NEAR FIND_IN_BOX FIND_EQUAL FIND_SELECTED FIND_ORDERED FIND_NEXT
    FIND_CASE FIND_EMPTY_SEGMENT FIND_PARAMETER_CASE FIND_FULL_PAGE FIND_PAST_END FIND_STAGED FIND_JSONP FIND_HEAD
    FIND_BAD_FILTER FIND_BAD_PROPERTY FIND_BAD_JSONP FIND_BAD_CALLBACK FIND_NO_TYPE FIND_NO_ENTITY
    FIND_NO_KEY FIND_WRONG_KEY
    """,
)

# Answered with bytes of any length instead of an envelope.
OUTPUTS = {each for each in Purpose if each.name.startswith("OUTPUT")} | {Purpose.QUERY_KEY_INFORMATION}

# Answered with another document than an envelope, unless it is an error.
DOCUMENTS = OUTPUTS | {each for each in Purpose if each.name.startswith(("SOURCE", "FIND_"))}
# What stands between quotes or parentheses: ids, coordinates, areas.
_VALUE = re.compile(r"'[^']*'|\([^()]*\)")


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
class SourceUnderTest:
    """The data source that a query is about.

    `url` is listed by the endpoint and `path` is its part below /REST/v1/; both end in the entity type. `types` has the
    properties in their order, with their Edm types. `key` is the name of the key property. The rest describes the first
    entity. What is not known is empty.
    """

    url: str
    path: str
    types: tuple[tuple[str, str], ...] = ()
    key: str = ""
    id: str = ""
    latitude: str = ""
    longitude: str = ""


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
    source: SourceUnderTest | None = None
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
        """The request as a report shows it: without keys and entities, and a link without its query."""
        if self.is_link:
            return f"{self.method} {self.path.partition('?')[0]}?..."
        target = ("" if self.root == ROOT else self.root) + self.target(self.key.value)
        if self.source is not None:
            target = _VALUE.sub(lambda found: f"{found[0][0]}...{found[0][-1]}", target)
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
        if self.request.purpose is Purpose.FIND_BAD_JSONP:  # an envelope within a call
            return False
        is_document = self.request.purpose in DOCUMENTS and self.status < HTTPStatus.BAD_REQUEST
        return not is_document and self.status != HTTPStatus.FOUND


def segment(text: str) -> str:
    """Any text as one segment of a path."""
    return quote(text, safe="", errors="replace")
