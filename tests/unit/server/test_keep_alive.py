"""Connections of clients that poll."""

from proxy.server.run import uvicorn_config
from tests.unit.server.test_framing import SETTINGS

LONGEST_POLL = 60
"""Seconds: shipped clients poll every 2 to 30 seconds, and gateways keep idle connections for 60."""


def test_a_connection_outlives_the_wait_between_two_polls() -> None:
    assert uvicorn_config("", SETTINGS).timeout_keep_alive > LONGEST_POLL
