"""What a migration shows while it runs: bars on a terminal, lines in a pipe."""

import io

import pytest

from proxy.cli.migrate_progress import JOBS_PER_LINE, TerminalProgress


class Terminal(io.StringIO):
    """A terminal's standard error."""

    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    with TerminalProgress() as progress:
        progress.begin("data sources", 2)
        progress.step("Shops: same")
        progress.say("waits 30 s")
        progress.begin("jobs", JOBS_PER_LINE)
        for number in range(JOBS_PER_LINE):
            progress.step(f"job {number}")
    return stream.getvalue()


def test_a_pipe_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(io.StringIO(), monkeypatch).splitlines() == [
        "data sources: 2",
        "1/2 Shops: same",
        "waits 30 s",
        f"jobs: {JOBS_PER_LINE}",
        f"{JOBS_PER_LINE}/{JOBS_PER_LINE} job {JOBS_PER_LINE - 1}",
    ]


def test_a_terminal_gets_bars_and_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show(Terminal(), monkeypatch)
    assert "data sources:   0%|" in shown
    assert "waits 30 s\n" in shown
    assert "1/2 Shops" not in shown
