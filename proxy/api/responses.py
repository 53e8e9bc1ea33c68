"""From the result of a handler to an HTTP response: the envelope, its format and its headers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from adapters.job_cache import CacheEntry
from proxy.wire.create_response import CreatedJob
from proxy.wire.envelope import Authentication, Branding, Envelope
from proxy.wire.errors import ApiError
from proxy.wire.json_renderer import render_json
from proxy.wire.namespaces import JSON_CONTENT, XML_CONTENT
from proxy.wire.request import Format
from proxy.wire.resources import JobResource
from proxy.wire.xml_renderer import render_xml

# Responses hold links and change from one poll to the next, so no cache on the way may store them. A browser that shows
# one loads nothing, and does not pass its URL on, which has the key in it.
PROTECTIVE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


VALID = Authentication.VALID


@dataclass(frozen=True, slots=True)
class JobsResult:
    """A successful response with job resources.

    `resources` is called only on a cache miss. The response may be cached until both the record (`cache_entry`) and the
    signed links (`links_until`, monotonic clock) expire.
    """

    resources: Callable[[], tuple[JobResource, ...]]
    cache_entry: CacheEntry[Any]
    links_until: Callable[[], float]
    size: int = 1
    """The number of its resources."""
    error_details: tuple[str, ...] = ()
    """The error message of an aborted job, which the envelope shows too."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A response that redirects the caller to a signed link."""

    url: str


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A response without an envelope: a service document, its JSON form, or metadata."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A response without a body: the job that it began shows in the job list."""


Result = JobsResult | Redirect | CreatedJob | RawDocument | Accepted


@dataclass(frozen=True, slots=True)
class ResponseFactory:
    """Builds responses with the texts and the time zone of the settings."""

    branding: Branding
    zone: tzinfo

    def from_result(self, result: Result, response_format: Format, trace_id: str) -> Response:
        """The response to a request that succeeded."""
        match result:
            case JobsResult():
                details = result.error_details
                envelope = self._build_envelope(HTTPStatus.OK, VALID, trace_id, result.resources(), details)
                return self._render(envelope, response_format)
            case CreatedJob():
                envelope = self._build_envelope(result.http_status, VALID, trace_id, (result.job,))
                response = self._render(envelope, response_format)
                # Clients append a query to it.
                response.headers["Location"] = result.location
                return response
            case Redirect():
                # Every shipped client follows a 302; some do not follow a 308.
                return Response(status_code=HTTPStatus.FOUND, headers=PROTECTIVE | {"Location": result.url})
            case RawDocument():
                return Response(result.body, headers=PROTECTIVE | {"Content-Type": result.content_type})
            case Accepted():
                return Response(status_code=HTTPStatus.ACCEPTED, headers=PROTECTIVE)

    def from_error(self, error: ApiError, response_format: Format, trace_id: str) -> Response:
        """The response of an entry of the error catalogue."""
        spec = error.code.value
        details = (spec.format_text(error.values),)
        envelope = self._build_envelope(spec.status, spec.authentication, trace_id, error_details=details)
        response = self._render(envelope, response_format)
        if error.allow:
            response.headers["Allow"] = ", ".join(error.allow)
        if spec.status is HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @staticmethod
    def from_rendered(body: bytes, response_format: Format, status: int = HTTPStatus.OK.value) -> Response:
        """The response of an envelope that is rendered already."""
        content_type = XML_CONTENT if response_format is Format.XML else JSON_CONTENT
        return Response(body, status, PROTECTIVE | {"Content-Type": content_type})

    def _build_envelope(
        self,
        status: HTTPStatus,
        authentication: Authentication,
        trace_id: str,
        resources: tuple[JobResource, ...] | None = None,
        error_details: tuple[str, ...] = (),
    ) -> Envelope:
        return Envelope(
            status_code=status.value,
            status_description=status.phrase,
            authentication=authentication,
            copyright=self.branding.format_copyright(datetime.now(UTC).year),
            brand_logo_uri=self.branding.brand_logo_uri,
            trace_id=trace_id,
            resources=resources,
            error_details=error_details,
        )

    def _render(self, envelope: Envelope, response_format: Format) -> Response:
        body = render_xml(envelope, self.zone) if response_format is Format.XML else render_json(envelope)
        return self.from_rendered(body, response_format, envelope.status_code)
