"""Job ids are UUIDv7 (RFC 9562) and sort by creation."""

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model.job_ids import (
    IdSequence,
    created_at,
    first_id_at,
    first_id_from,
    imported_job_id,
    is_job_id,
    is_row_id,
    new_job_id,
)
from adapters.model.ticks import LAST, PER_MILLISECOND, PER_SECOND, UNIX_EPOCH, Ticks, parse_ticks

CREATED = parse_ticks("2026-01-03T23:22:15.7979398Z")
HOUR = 3600 * PER_SECOND


def test_id_is_a_uuid_of_version_7() -> None:
    job_id = new_job_id(CREATED)
    value = UUID(job_id)
    assert (value.version, value.variant, value.hex) == (7, RFC_4122, job_id)


def test_id_begins_with_its_milliseconds() -> None:
    milliseconds = (CREATED - UNIX_EPOCH) // PER_MILLISECOND
    assert UUID(new_job_id(CREATED)).int >> 80 == milliseconds
    assert created_at(new_job_id(CREATED)) == UNIX_EPOCH + milliseconds * PER_MILLISECOND


def test_example_of_the_rfc_has_its_instant() -> None:
    rfc_example = "017f22e279b07cc398c4dc0c0c07398f"  # RFC 9562, appendix A.6
    assert is_job_id(rfc_example)
    assert created_at(rfc_example) == parse_ticks("2022-02-22T14:22:22-05:00")
    assert (
        first_id_at(parse_ticks("2022-02-22T14:22:22-05:00"))
        <= rfc_example
        < first_id_at(parse_ticks("2022-02-22T19:22:22.001Z"))
    )


@pytest.mark.parametrize("step", [3, PER_MILLISECOND, PER_SECOND, HOUR, 24 * 365 * HOUR])
def test_ids_sort_by_creation_within_a_millisecond(step: int) -> None:
    ids = [new_job_id(Ticks(CREATED + count * step)) for count in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50


def test_ids_of_the_same_tick_differ() -> None:
    assert len({new_job_id(CREATED) for _ in range(100)}) == 100


@pytest.mark.parametrize("created", [CREATED, Ticks(UNIX_EPOCH), Ticks(LAST)])
def test_range_begins_at_the_first_id_of_its_instant(created: Ticks) -> None:
    assert first_id_at(created) <= new_job_id(created)
    assert first_id_at(created) > new_job_id(Ticks(created - PER_MILLISECOND)) or created == UNIX_EPOCH
    assert len(first_id_at(created)) == 32


def test_id_of_the_last_tick_is_valid() -> None:
    assert is_job_id(new_job_id(LAST))
    assert is_row_id(first_id_at(LAST))


@pytest.mark.parametrize("created", [Ticks(0), parse_ticks("1969-12-31T23:59:59.9999999Z")])
def test_id_from_before_1970_sorts_first(created: Ticks) -> None:
    assert new_job_id(created).startswith("0" * 12 + "7")
    assert is_job_id(new_job_id(created))
    assert first_id_at(created) == "0" * 32


def test_imported_job_has_the_same_id_each_time() -> None:
    first = imported_job_id(CREATED, "contoso", "OldId")
    assert imported_job_id(CREATED, "contoso", "oldID") == first
    assert is_job_id(first)
    assert first[:15] == new_job_id(CREATED)[:15]


@pytest.mark.parametrize(("account", "legacy_id"), [("fabrikam", "OldId"), ("contoso", "Other"), ("contoso", "\ud800")])
def test_another_imported_job_has_another_id(account: str, legacy_id: str) -> None:
    assert imported_job_id(CREATED, account, legacy_id) != imported_job_id(CREATED, "contoso", "OldId")


DASHED = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
WIDE = "\N{FULLWIDTH DIGIT ZERO}" * 32


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "F" * 32, "g" * 32, "0" * 32 + "\n", DASHED, WIDE], ids=ascii)
def test_malformed_id_is_refused(text: str) -> None:
    assert not is_row_id(text)
    assert not is_job_id(text)


@pytest.mark.parametrize("text", ["0" * 32, "017f22e279b04cc398c4dc0c0c07398f", "017f22e279b07cc3c8c4dc0c0c07398f"])
def test_row_id_need_not_be_a_uuid(text: str) -> None:
    assert is_row_id(text)
    assert not is_job_id(text)


@pytest.mark.parametrize("ahead", [-HOUR, 0, 1, 30 * PER_SECOND, 23 * HOUR])
def test_next_id_sorts_after_observed_ids(ahead: int) -> None:
    sequence, seen = IdSequence(), new_job_id(Ticks(CREATED + ahead))
    sequence.observe([seen, new_job_id(Ticks(CREATED - HOUR))], CREATED)
    ids = [sequence.next(CREATED) for _ in range(50)]
    assert [seen, *ids] == sorted([seen, *ids])
    assert len(set(ids)) == 50


@pytest.mark.parametrize("garbage", [first_id_at(Ticks(CREATED + 25 * HOUR)), "f" * 32, first_id_at(LAST)])
def test_id_far_ahead_is_not_observed(garbage: str) -> None:
    sequence, seen = IdSequence(), new_job_id(Ticks(CREATED + HOUR))
    sequence.observe([seen, garbage], CREATED)
    assert seen < sequence.next(CREATED) < first_id_at(Ticks(CREATED + HOUR + PER_SECOND))


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("0198c0ffee007abc8def0123456789ab", "0198c0ffee007abc8def0123456789ab"),
        ("0198c0ffee007abc8def0123456789abx", "0198c0ffee007abc8def0123456789ac"),
        ("0198c0ffee007abc8def0123456789ab ", "0198c0ffee007abc8def0123456789ac"),
        ("0198", "01980000000000000000000000000000"),
        ("0198-c0ff", "01980000000000000000000000000000"),
        ("0198C0FF", "0198a000000000000000000000000000"),
        ("0198z", "01990000000000000000000000000000"),
        ("", "00000000000000000000000000000000"),
        ("-", "00000000000000000000000000000000"),
        ("alias:", "b0000000000000000000000000000000"),
    ],
)
def test_first_id_from_a_key_sorts_at_or_behind_it(key: str, first: str) -> None:
    assert f"{first_id_from(key):032x}" == first
    assert key <= first
    assert first_id_from("z") == 1 << 128


@given(st.text("0afAF-z ", max_size=34), st.integers(0, 2**128 - 1))
def test_no_id_is_between_a_key_and_the_first_id_from_it(key: str, number: int) -> None:
    assert (f"{number:032x}" >= key) is (number >= first_id_from(key))
