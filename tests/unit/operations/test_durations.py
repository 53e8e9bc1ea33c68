"""Durations in words: one form for the console's pages and its advice."""

import pytest

from proxy.operations.durations import describe_seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_800, "2 days"),
        (59 * 3600, "2.5 days"),
        (14 * 86_400, "14 days"),
    ],
)
def test_a_duration_is_read_at_a_glance(seconds: float, words: str) -> None:
    assert describe_seconds(seconds) == words
