"""Texts of any length on pages of a bounded size."""

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from proxy.console.cut_texts import cut, find_cut


@given(st.text() | st.text("<>&\"'€😀"), st.integers(0, 200))
def test_the_begin_of_a_text_fits(text: str, most: int) -> None:
    place = find_cut(text, most)
    assert len(str(escape(text[:place])).encode(errors="replace")) <= most
    assert place == len(text) or len(str(escape(text[: place + 1])).encode(errors="replace")) > most


def test_a_text_that_is_cut_says_so() -> None:
    assert cut("x" * 64_000, 10) == "xxxxxxxxxx… (cut: 64,000 characters)"
    assert cut("whole", 1000) == "whole"
