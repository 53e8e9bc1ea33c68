"""What was asked and what was answered, as the judges see it. No key is in a request; which key it had is."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from http import HTTPStatus
from urllib.parse import quote

ROOT = "/REST/v1/"


class AskedFormat(StrEnum):
    """The two formats of an answer."""

    JSON = "json"
    XML = "xml"


class Key(Enum):
    """Which key a request has."""

    GOOD = "the key"
    QUERY = "the query key"
    NONE = "no key"
    EMPTY = "an empty key"
    WRONG = "a made-up key"
    OTHER_CASE = "the key in the other letter case"


class Purpose(Enum):
    """What a request was made for; rules choose their exchanges by it."""

    LIST = auto()
    LIST_AGAIN = auto()
    LIST_CASE = auto()
    LIST_SLASH = auto()
    LIST_UPGRADE = auto()
    LIST_OUTPUT = auto()
    LIST_ALIAS = auto()
    LIST_PARAMETER_CASE = auto()
    LIST_VALUE_CASE = auto()
    LIST_KEY_NAME = auto()
    LIST_FIRST_OUTPUT = auto()
    LIST_EMPTY_OUTPUT = auto()
    LIST_UNKNOWN_PARAMETER = auto()
    LIST_ACCEPT = auto()
    LIST_OTHER_HOST = auto()
    LIST_QUERY_KEY = auto()
    BAD_OUTPUT = auto()
    NO_KEY = auto()
    WRONG_KEY = auto()
    OTHER_CASE_KEY = auto()
    NO_KEY_BAD_OUTPUT = auto()
    WRONG_KEY_KNOWN_JOB = auto()
    WRONG_KEY_NO_JOB = auto()
    QUERY_KEY_JOB = auto()
    QUERY_KEY_NO_JOB = auto()
    QUERY_KEY_OUTPUT = auto()
    QUERY_KEY_GEOCODE = auto()
    QUERY_KEY_INFORMATION = auto()
    NO_PATH = auto()
    NO_JOB = auto()
    ODD_ID = auto()
    NAME_LONGEST = auto()
    NAME_TOO_LONG = auto()
    NAME_BAD = auto()
    NAME_ENCODED = auto()
    NAME_RAW = auto()
    NAME_HYPHEN = auto()
    POST_ONLY = auto()
    STATUS = auto()
    STATUS_CASE = auto()
    STATUS_SLASH = auto()
    STATUS_SELF = auto()
    STATUS_WRONG_KIND = auto()
    DOWNLOAD = auto()
    DOWNLOAD_CASE = auto()
    DOWNLOAD_ENCODED = auto()
    DOWNLOAD_ID = auto()
    OUTPUT = auto()
    OUTPUT_CASE = auto()
    OUTPUT_LISTED = auto()
    OUTPUT_DOWNLOAD = auto()
    OUTPUT_NO_KEY = auto()
    OUTPUT_MISSING = auto()
    OUTPUT_UNLINKED = auto()
    HEAD = auto()
    HEAD_OUTPUT = auto()
    LINK_APPENDED = auto()
    LINK_DROPPED = auto()
    LINK_HEAD = auto()
    LOCATION = auto()


# Instead of an envelope these have bytes of any number; the first few are enough.
OUTPUTS = frozenset(
    (
        Purpose.OUTPUT,
        Purpose.OUTPUT_CASE,
        Purpose.OUTPUT_LISTED,
        Purpose.OUTPUT_DOWNLOAD,
        Purpose.OUTPUT_NO_KEY,
        Purpose.OUTPUT_MISSING,
        Purpose.OUTPUT_UNLINKED,
        Purpose.QUERY_KEY_INFORMATION,
    )
)

_SHOWN = {
    Key.GOOD: "KEY",
    Key.QUERY: "QUERY-KEY",
    Key.NONE: None,
    Key.EMPTY: "",
    Key.WRONG: "made-up",
    Key.OTHER_CASE: "other-case",
}


@dataclass(frozen=True, slots=True)
class JobUnderTest:
    """The job that a request is about, as it was known when it was asked for."""

    id: str
    job_type: str
    status: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request.

    `path` is percent-encoded and stands below `root`, which is /REST/v1/ in any letter case; where `is_link`, it is a
    whole URL, which is asked without a key. `query` goes before the key.
    """

    purpose: Purpose
    path: str
    query: str = ""
    format: AskedFormat = AskedFormat.JSON
    method: str = "GET"
    key: Key = Key.GOOD
    key_name: str = "key"
    headers: tuple[tuple[str, str], ...] = ()
    subject: JobUnderTest | None = None
    is_link: bool = False
    root: str = ROOT

    def target(self, key: str | None) -> str:
        """The path and the query, with the key where there is one."""
        if self.is_link:
            return self.path
        pairs = [self.query] * bool(self.query)
        if key is not None:
            pairs.append(f"{self.key_name}={quote(key, safe='')}")
        return self.path + ("?" + "&".join(pairs) if pairs else "")

    @property
    def told(self) -> str:
        """The request as a report names it: of a link it tells no more than that it is one."""
        if self.is_link:
            return f"{self.method} {self.path.partition('?')[0]}?..."
        target = ("" if self.root == ROOT else self.root) + self.target(_SHOWN[self.key])
        return f"{self.method} {target}" + "".join(f" ({name}: {value})" for name, value in self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer; `failure` is a sentence where none came, and then the status is 0."""

    ask: Request
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    failure: str = ""

    def header(self, name: str) -> str | None:
        """The first header of this name, in any letter case."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)

    @property
    def status_line(self) -> str:
        """The status as an answer begins with it."""
        return f"HTTP {self.status} {self.reason}".rstrip()

    @property
    def is_envelope(self) -> bool:
        """Whether the contract wants an envelope here: not of storage, a redirect or an output, nor of HEAD."""
        if self.ask.is_link or self.failure or self.ask.method == "HEAD":
            return False
        is_output = self.ask.purpose in OUTPUTS and self.status < HTTPStatus.BAD_REQUEST
        return not is_output and self.status != HTTPStatus.FOUND
