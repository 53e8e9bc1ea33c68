"""Whatever an answer says can be read back from either format."""

from dataclasses import replace
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.model.ticks import LAST, PER_SECOND, Ticks
from proxy.text import strip_invalid_xml
from proxy.wire.envelope import Envelope
from proxy.wire.json_renderer import render_json
from proxy.wire.parser import parse_response
from proxy.wire.resources import JobResource, Link
from proxy.wire.xml_renderer import render_xml
from tests.support.given_jobs import envelope, plain_job
from tests.support.member_order import assert_json_order, assert_xml_order
from tests.support.row_strategies import envelopes

_T = TypeVar("_T", str, str | None)

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


def _clean(text: _T) -> _T:
    return text if text is None else strip_invalid_xml(text)


def _cleaned(answer: Envelope) -> Envelope:
    return replace(
        answer,
        copyright=strip_invalid_xml(answer.copyright),
        brand_logo_uri=strip_invalid_xml(answer.brand_logo_uri),
        error_details=tuple(strip_invalid_xml(text) for text in answer.error_details),
        resources=None if answer.resources is None else tuple(_cleaned_job(job) for job in answer.resources),
    )


def _cleaned_job(job: JobResource) -> JobResource:
    return replace(
        job,
        id=strip_invalid_xml(job.id),
        name=_clean(job.name),
        description=_clean(job.description),
        error_message=_clean(job.error_message),
        links=tuple(Link(link.role, strip_invalid_xml(link.url), link.name) for link in job.links),
    )


def _in_whole_seconds(answer: Envelope) -> Envelope:
    def whole(moment: Ticks) -> Ticks:
        return Ticks(moment - moment % PER_SECOND)

    jobs = answer.resources and tuple(
        replace(job, created=whole(job.created), completed=None if job.completed is None else whole(job.completed))
        for job in answer.resources
    )
    return replace(answer, resources=jobs)


@given(envelopes())
@example(envelope(plain_job(created=Ticks(0), completed=LAST)))
def test_json_round_trips_but_for_fractions_of_seconds(answer: Envelope) -> None:
    content = render_json(answer)
    assert_json_order(content)
    assert parse_response(content) == _in_whole_seconds(_cleaned(answer))


@given(envelopes(), zones)
@example(envelope(plain_job(created=Ticks(0), completed=LAST)), ZoneInfo("America/Los_Angeles"))
def test_xml_round_trips(answer: Envelope, zone: ZoneInfo) -> None:
    content = render_xml(answer, zone)
    assert_xml_order(content)
    assert parse_response(content) == _cleaned(answer)


@given(envelopes(), zones)
def test_white_space_follows_every_link_of_any_response(answer: Envelope, zone: ZoneInfo) -> None:
    content = render_xml(answer, zone)
    assert content.count(b"</Link>") == content.count(b"</Link>\n")
    assert not content.startswith(b"\xef\xbb\xbf")
