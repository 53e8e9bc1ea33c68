"""A key's end is near exactly where the alerts say so."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.model.key_records import KeyRecord
from adapters.model.ticks import from_datetime
from proxy.operations.keys.key_ends import IMMINENT, SOON, KeyEnd, judge_end

ALERTS = Path(__file__).parents[3] / "deploy/prometheus/alerts.yaml"
NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "end"),
    [
        (timedelta(), KeyEnd.PAST),
        (MOMENT, KeyEnd.IMMINENT),
        (IMMINENT - MOMENT, KeyEnd.IMMINENT),
        (IMMINENT, KeyEnd.SOON),
        (SOON - MOMENT, KeyEnd.SOON),
        (SOON, KeyEnd.FAR),
        (None, KeyEnd.FAR),
    ],
)
def test_an_end_is_near_by_the_time_that_is_left(left: timedelta | None, end: KeyEnd) -> None:
    expires = None if left is None else from_datetime(NOW + left)
    assert judge_end(KeyRecord("a" * 64, "contoso", expires=expires), NOW) is end


def test_the_limits_are_those_of_the_alerts() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    soon, lower = re.findall(r"alert: KeyEndsSoon\n.* < (\d+) \* 86400 >= (\d+) \* 86400", text)[0]
    (imminent,) = re.findall(r"alert: KeyExpiryImminent\n.* < (\d+) \* 86400", text)
    assert (timedelta(days=int(soon)), timedelta(days=int(imminent)), lower) == (SOON, IMMINENT, imminent)
