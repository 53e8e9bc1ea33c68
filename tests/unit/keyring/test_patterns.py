"""Patterns of data sources: what they match, and in what time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.keyring.patterns import compile_pattern

TEXTS = st.text("ab*", max_size=8)
NAMES = st.text("ab", max_size=12)


@given(TEXTS, NAMES)
def test_a_pattern_matches_what_a_regular_expression_matches(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL)
    assert compile_pattern(pattern).matches(name) is (expected is not None)


@pytest.mark.parametrize("pattern", ["*a" * 49 + "*b", "a*" * 50 + "b", "*" * 100 + "b", "*aaaaaaaaab" * 9])
def test_a_hostile_pattern_is_matched_in_linear_time(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    started = time.thread_time()
    for _ in range(100):
        assert not compiled.matches("a" * 10_000)
    assert time.thread_time() - started < 1  # a backtracking matcher takes years
