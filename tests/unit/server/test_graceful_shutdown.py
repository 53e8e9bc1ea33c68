"""When a supervisor replaces one of its processes. Their own ends are in tests/end_to_end/test_ending.py."""

import pytest

from proxy.server import graceful_shutdown as draining
from proxy.server.graceful_shutdown import LOADING_SECONDS, DrainingProcess
from proxy.server.run import configuration
from proxy.settings import load_settings


class Running:
    """A process as the supervisor sees it from outside."""

    pid = 1
    runs = True

    def start(self) -> None:
        """It begins, and says nothing yet."""

    def is_alive(self) -> bool:
        """Whether it is there."""
        return self.runs


@pytest.fixture
def process() -> DrainingProcess:
    """One that has just begun."""
    process = DrainingProcess(configuration("none:none", load_settings(keyring="{}")), [])
    process.process = Running()  # type: ignore[assignment]  # what there is of it is all that is asked for
    process.start()
    return process


def test_a_process_that_is_slow_to_load_is_left_alone_and_not_waited_for(process: DrainingProcess) -> None:
    for _ in range(20):
        assert process.is_alive(timeout=1e9)
    # It was asked once: other answers would later stand for those of a process that is stuck.
    assert process.child_conn.recv() == b"ping"
    assert not process.child_conn.poll(0)


def test_a_process_that_does_not_come_up_at_all_is_replaced(
    process: DrainingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOADING_SECONDS >= 30
    monkeypatch.setattr(draining, "LOADING_SECONDS", 0)
    assert not process.is_alive(timeout=0.01)


def test_a_process_that_has_loaded_and_is_stuck_is_replaced(process: DrainingProcess) -> None:
    assert process.is_alive()
    process.child_conn.send(False)  # noqa: FBT003 - as uvicorn answers
    assert process.is_alive()
    assert not process.is_alive(timeout=0.01)


def test_a_process_that_ends_while_it_loads_is_replaced(process: DrainingProcess) -> None:
    process.process.runs = False  # type: ignore[attr-defined]  # of the one above
    assert not process.is_alive(timeout=0.01)
