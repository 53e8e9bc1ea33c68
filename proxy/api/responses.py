"""From what is to be said to an HTTP response: the envelope, its format and its headers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from adapters.job_cache import CacheEntry
from proxy.observability.trace_ids import SAMPLE_TRACE_ID
from proxy.wire.create_response import CreatedJob
from proxy.wire.envelope import Authentication, Branding, Envelope
from proxy.wire.errors import NO_VALUES, ErrorCode
from proxy.wire.json_renderer import render_json
from proxy.wire.namespaces import JSON_CONTENT, XML_CONTENT
from proxy.wire.request import Format
from proxy.wire.resources import JobResource
from proxy.wire.xml_renderer import render_xml

# Answers carry links and change from one poll to the next: nobody on the way may keep them.
# Should a browser ever show one, it loads nothing and tells nobody the URL, which has the key in it.
PROTECTIVE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class JobsResult:
    """A successful answer: its resources, and the error message of an aborted job, which stands in the envelope too.

    The resources are made when they are asked for: not where the same was said before of the same reading. It may be
    said again while the reading is fresh, and the links that they turned out to have, by the monotonic clock.
    """

    resources: Callable[[], tuple[JobResource, ...]]
    cache_entry: CacheEntry[Any]
    links_until: Callable[[], float]
    size: int = 1
    """How many resources it has."""
    error_details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that sends the caller on to a signed link."""

    url: str


@dataclass(frozen=True, slots=True)
class RawDocument:
    """An answer that is no envelope: a service document, JSON of it, or metadata."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer without a body: the job that it began shows in the job list."""


Result = JobsResult | Redirect | CreatedJob | RawDocument | Accepted


@dataclass(frozen=True, slots=True)
class ResponseFactory:
    """Writes responses with the texts and the time zone of the settings."""

    branding: Branding
    zone: tzinfo
    _errors: dict[tuple[ErrorCode, Format, int], bytes] = field(default_factory=dict, init=False, repr=False)

    def found(self, found: JobsResult, answer: Format, trace_id: str) -> Response:
        """A 200."""
        envelope = self._envelope(HTTPStatus.OK, Authentication.VALID, found.error_details, trace_id)
        return self._response(replace(envelope, resources=found.resources()), answer)

    def error(
        self,
        code: ErrorCode,
        answer: Format,
        trace_id: str,
        allow: tuple[str, ...] = (),
        values: Mapping[str, str | int] = NO_VALUES,
    ) -> Response:
        """An entry of the error catalogue, with the values that its text names."""
        entry = code.value
        # A thousand callers of storage that hangs get the same answer: all but its traceId is rendered once.
        key = code, answer, datetime.now(UTC).year
        body = None if values else self._errors.get(key)
        if body is None:
            envelope = self._envelope(entry.status, entry.authentication, (entry.text_with(values),), SAMPLE_TRACE_ID)
            body = bytes(self._response(envelope, answer).body)
            if not values:
                self._errors[key] = body
        body = body.replace(SAMPLE_TRACE_ID.encode(), trace_id.encode(), 1)
        response = self.from_rendered(body, answer, entry.status.value)
        if allow:
            response.headers["Allow"] = ", ".join(allow)
        if entry.status is HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = str(entry.retry_after)
        return response

    @staticmethod
    def redirect(redirect: Redirect) -> Response:
        """A 302, which every shipped client follows; some don't follow a 308."""
        headers: Mapping[str, str] = PROTECTIVE | {"Location": redirect.url}
        return Response(status_code=HTTPStatus.FOUND, headers=headers)

    def created(self, created: CreatedJob, answer: Format, trace_id: str) -> Response:
        """The answer that tells of a new job; clients append a query to its Location."""
        envelope = self._envelope(created.http, Authentication.VALID, (), trace_id)
        response = self._response(replace(envelope, resources=(created.job,)), answer)
        response.headers["Location"] = created.location
        return response

    @staticmethod
    def document(document: RawDocument) -> Response:
        """A 200 without an envelope."""
        return Response(document.body, headers=PROTECTIVE | {"Content-Type": document.content_type})

    @staticmethod
    def accepted() -> Response:
        """A 202 without a body."""
        return Response(status_code=HTTPStatus.ACCEPTED, headers=PROTECTIVE)

    def _envelope(
        self, status: HTTPStatus, authentication: Authentication, details: tuple[str, ...], trace_id: str
    ) -> Envelope:
        return Envelope(
            status_code=status.value,
            status_description=status.phrase,
            authentication=authentication,
            copyright=self.branding.copyright_of(datetime.now(UTC).year),
            brand_logo_uri=self.branding.brand_logo_uri,
            trace_id=trace_id,
            error_details=details,
        )

    def _response(self, envelope: Envelope, answer: Format) -> Response:
        body = render_xml(envelope, self.zone) if answer is Format.XML else render_json(envelope)
        return self.from_rendered(body, answer, envelope.status_code)

    @staticmethod
    def from_rendered(body: bytes, answer: Format, status: int = HTTPStatus.OK.value) -> Response:
        """An envelope that is rendered already."""
        content_type = XML_CONTENT if answer is Format.XML else JSON_CONTENT
        return Response(body, status, PROTECTIVE | {"Content-Type": content_type})
