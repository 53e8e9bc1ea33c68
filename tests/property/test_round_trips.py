"""Whatever an answer says can be read back from either format."""

from dataclasses import replace
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.ticks import LAST, PER_SECOND, Ticks
from proxy.bing.characters import clean
from proxy.bing.envelope import Envelope
from proxy.bing.parse import parse_answer
from proxy.bing.render_json import render_json
from proxy.bing.render_xml import render_xml
from proxy.bing.resources import Job, Link
from tests.property.strategies import envelopes
from tests.wire.given import envelope, plain_job
from tests.wire.order import assert_json_order, assert_xml_order

_T = TypeVar("_T", str, str | None)

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


def _clean(text: _T) -> _T:
    return text if text is None else clean(text)


def _cleaned(answer: Envelope) -> Envelope:
    return replace(
        answer,
        copyright=clean(answer.copyright),
        brand_logo_uri=clean(answer.brand_logo_uri),
        error_details=tuple(clean(text) for text in answer.error_details),
        resources=None if answer.resources is None else tuple(_cleaned_job(job) for job in answer.resources),
    )


def _cleaned_job(job: Job) -> Job:
    return replace(
        job,
        id=clean(job.id),
        name=_clean(job.name),
        description=_clean(job.description),
        error_message=_clean(job.error_message),
        links=tuple(Link(link.role, clean(link.url), link.name) for link in job.links),
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
def test_json_says_all_but_fractions_of_seconds(answer: Envelope) -> None:
    content = render_json(answer)
    assert_json_order(content)
    assert parse_answer(content) == _in_whole_seconds(_cleaned(answer))


@given(envelopes(), zones)
@example(envelope(plain_job(created=Ticks(0), completed=LAST)), ZoneInfo("America/Los_Angeles"))
def test_xml_says_all(answer: Envelope, zone: ZoneInfo) -> None:
    content = render_xml(answer, zone)
    assert_xml_order(content)
    assert parse_answer(content) == _cleaned(answer)


@given(envelopes(), zones)
def test_an_answer_is_never_cut_by_white_space_that_a_reader_needs(answer: Envelope, zone: ZoneInfo) -> None:
    content = render_xml(answer, zone)
    assert content.count(b"</Link>") == content.count(b"</Link>\n")
    assert not content.startswith(b"\xef\xbb\xbf")
