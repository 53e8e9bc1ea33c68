"""What two states of the change row say that has changed between them."""

from dataclasses import replace

import pytest

from adapters.model.key_records import ChangeLog
from proxy.keyring.change_watch import EVERYTHING, Changes, compare

A, B, C = "aa" * 8, "bb" * 8, "cc" * 8
NAMED_A, NAMED_B = bytes.fromhex(A), bytes.fromhex(B)
BEFORE = ChangeLog("e", 2, ((2, B), (1, A)))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(BEFORE, Changes(), id="nothing"),
        pytest.param(ChangeLog("e", 3, ((3, A), (2, B), (1, A))), Changes(frozenset([NAMED_A])), id="one key"),
        pytest.param(
            ChangeLog("e", 4, ((4, A), (3, B), (2, B), (1, A))), Changes(frozenset([NAMED_A, NAMED_B])), id="two keys"
        ),
        pytest.param(ChangeLog("e", 3, ((3, "+"), (2, B), (1, A))), Changes(added_many=True), id="many added"),
        pytest.param(
            ChangeLog("e", 4, ((4, "+"), (3, A), (2, B))), Changes(frozenset([NAMED_A]), added_many=True), id="both"
        ),
        pytest.param(ChangeLog("e", 3, ((3, A),)), Changes(frozenset([NAMED_A])), id="the list just reaches back"),
        pytest.param(ChangeLog("e", 4, ((4, A),)), EVERYTHING, id="the list does not reach back"),
        pytest.param(ChangeLog("e", 3, ()), EVERYTHING, id="no list"),
        pytest.param(ChangeLog("f", 3, ((3, A), (2, B), (1, A))), EVERYTHING, id="another epoch"),
        pytest.param(ChangeLog("f", 2, ((2, B), (1, A))), EVERYTHING, id="another epoch, the same sequence"),
        pytest.param(ChangeLog("e", 1, ((1, A),)), EVERYTHING, id="the sequence went back"),
        pytest.param(replace(BEFORE, etag="later"), EVERYTHING, id="written again"),
        pytest.param(ChangeLog("e", 2, ((2, C), (1, A))), EVERYTHING, id="went back and came up again"),
        pytest.param(ChangeLog("e", 3, ((3, B), (2, C), (1, A))), EVERYTHING, id="went back and beyond"),
        pytest.param(ChangeLog("e", 3, ((3, "no digest"), (2, B), (1, A))), EVERYTHING, id="a newer version's word"),
        pytest.param(ChangeLog("e", 3, ((3, A * 4), (2, B), (1, A))), EVERYTHING, id="a whole digest"),
        pytest.param(ChangeLog("e", 2**62, ((2**62, A), (2, B), (1, A))), EVERYTHING, id="a great leap"),
    ],
)
def test_changes_between_two_looks(after: ChangeLog, expected: Changes) -> None:
    assert compare(BEFORE, after) == expected


def test_before_the_first_change_row_anything_may_have_changed() -> None:
    assert compare(None, BEFORE) == EVERYTHING
