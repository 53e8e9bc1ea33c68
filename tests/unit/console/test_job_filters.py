"""The filters of the page of jobs, as its URL has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import format_ticks
from proxy.console.pages.job_filters import FIELDS, read_search

ID = "0198c0ffee007abc8def0123456789ab"


def test_all_filters_are_read_and_unknown_parameters_ignored() -> None:
    query = {
        "account": "contoso",
        "status": "pending",
        "type": "geocode",
        "source": " Shops ",
        "text": "empty",
        "before": ID,
        "after": ID,
        "notice": "retried",
        "x": "y",
    }
    search = read_search(query)
    assert (search.account, search.problems, search.start.before, search.start.after) == (
        "contoso",
        (),
        ID,
        None,
    )
    wanted = search.filter
    assert (wanted.statuses, wanted.types) == (frozenset([JobStatus.PENDING]), frozenset([JobType.GEOCODE]))
    assert (wanted.data_source, wanted.text, wanted.is_of_times_only) == ("Shops", "empty", False)


def test_without_parameters_every_job_fits() -> None:
    search = read_search(dict.fromkeys(FIELDS, " "))
    assert (search.filter.is_of_times_only, search.fields, search.problems) == (True, {}, ())


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-01-31T12:30", "2026-01-31T12:30:00.0000000Z", "2026-01-31T12:30:59.9999999Z"),
        ("2026-01-31", "2026-01-31T00:00:00.0000000Z", "2026-01-31T23:59:59.9999999Z"),
        ("2026-01-31T12:30:05Z", "2026-01-31T12:30:05.0000000Z", "2026-01-31T12:30:05.9999999Z"),
        ("99991231T235930Z", "9999-12-31T23:59:30.0000000Z", "9999-12-31T23:59:59.9999999Z"),
        ("2026-01-31T12:30:05+02:00", "2026-01-31T10:30:05.0000000Z", "2026-01-31T10:30:05.9999999Z"),
    ],
)
def test_a_time_is_utc_and_its_end_is_the_end_of_what_it_names(text: str, since: str, until: str) -> None:
    wanted = read_search({"since": text, "until": text}).filter
    assert wanted.since is not None
    assert wanted.until is not None
    assert (format_ticks(wanted.since), format_ticks(wanted.until)) == (since, until)
    assert read_search({"since": text}).since == since[:16]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("status", "Lost", "The status 'Lost' is unknown. Known are Pending, Completed, Aborted."),
        ("type", "Map", "The type 'Map' is unknown. Known are Geocode, DataSourceComplete"),
        ("since", "yesterday", "Since: 'yesterday' is no time. Write it as 2026-01-31T12:00, in UTC."),
        ("until", "0001-01-01T00:00:00+14:00", "Until: '0001-01-01T00:00:00+14:00' is no time."),
        ("before", "../x", "The page begins before '../x', which is no row's key."),
        ("after", "x" * 600, "The page begins after 'xxx"),
    ],
)
def test_what_is_wrong_gets_a_sentence(name: str, value: str, sentence: str) -> None:
    (problem,) = read_search({name: value}).problems
    assert problem.startswith(sentence)


@given(st.dictionaries(st.sampled_from((*FIELDS, "before", "after")), st.text()))
def test_any_parameters_can_be_read(query: dict[str, str]) -> None:
    search = read_search(query)
    assert max(map(len, (search.since, search.until))) <= 16
