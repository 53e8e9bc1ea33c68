"""An answer of an endpoint, and what kind it is: callers act differently on each."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

from lxml import etree

from proxy.comparison.documents import is_huge, read_json, read_xml

MAX_SHOWN = 200  # characters of an endpoint's own words
_BEGINNING = 1_000
_HTML = re.compile(rb"(?i)\s*(?:<!doctype html|<html[\s>])")


class AnswerKind(StrEnum):
    """What an answer means for the one that sent the request."""

    SUCCESS = "success"
    REDIRECT = "a redirect"
    KEY_REFUSED = "the key is refused"
    NOT_FOUND = "not found"
    THROTTLED = "too many requests"
    UNAVAILABLE = "not available"
    HTML = "an HTML page, not this API"
    ERROR = "an error"


# By status; the other statuses from 400 on are errors.
_KINDS = {
    HTTPStatus.UNAUTHORIZED: AnswerKind.KEY_REFUSED,
    HTTPStatus.FORBIDDEN: AnswerKind.KEY_REFUSED,
    HTTPStatus.NOT_FOUND: AnswerKind.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: AnswerKind.THROTTLED,
    HTTPStatus.SERVICE_UNAVAILABLE: AnswerKind.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. The body of a fetched file is empty where the answer is a success: the file has it."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The first header of this name, in any letter case; empty where there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    @property
    def media_type(self) -> str:
        """The content type in lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def kind(self) -> AnswerKind:
        """What the answer means. A page of a gateway or a portal is one, whatever its status."""
        if self.status in _KINDS:
            return _KINDS[HTTPStatus(self.status)]
        if HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST:
            return AnswerKind.REDIRECT
        if self.is_html:
            return AnswerKind.HTML
        return AnswerKind.ERROR if self.status >= HTTPStatus.BAD_REQUEST else AnswerKind.SUCCESS

    @property
    def is_html(self) -> bool:
        """Whether the body is an HTML page, by its type or its first bytes."""
        return self.media_type in {"text/html", "application/xhtml+xml"} or bool(_HTML.match(self.body[:_BEGINNING]))

    @property
    def retry_after(self) -> float | None:
        """The seconds of `Retry-After`, which may be a date; None where it says nothing."""
        text = self.header("retry-after").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):  # no date, or one without a zone
            return None

    @property
    def details(self) -> tuple[str, ...]:
        """The texts of `errorDetails`, in either format; none where the body is no envelope."""
        if is_huge(self.body):
            return ()
        try:
            if self.body.lstrip()[:1] == b"{":
                found = read_json(self.body).get("errorDetails")
                return tuple(map(str, found)) if isinstance(found, list) else ()
            root = read_xml(self.body) if self.body else etree.Element("none")
            return tuple(each.text or "" for each in root.iterfind("{*}ErrorDetails/{*}string"))
        except (ValueError, RecursionError, AttributeError, etree.LxmlError):
            return ()

    def describe(self) -> str:
        """The status and the first of the endpoint's own words. A caller that has a key redacts it."""
        words = " ".join(" ".join(self.details).split())[:MAX_SHOWN]
        line = f"HTTP {self.status} {self.reason}".rstrip()
        return f"{line}: {words}" if words else f"{line}, an HTML page" if self.is_html else line
