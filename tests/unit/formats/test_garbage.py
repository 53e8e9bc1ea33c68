"""Whatever a file holds, a load gives entities, failures with a reason, or one message; `make soak` tries more."""

from pathlib import Path

import pytest

from benchmarks.fuzz.files import KINDS, broken
from benchmarks.fuzz.trial import attempt

TRIES = 60
SEED = 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_loads_or_is_refused_in_our_words(kind: str, tmp_path: Path) -> None:
    for number in range(KINDS.index(kind), TRIES * len(KINDS), len(KINDS)):
        assert attempt(broken(number, SEED), tmp_path).wrong == [], number
