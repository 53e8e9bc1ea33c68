"""Shows how far a migration is: bars on a terminal, lines in a pipe."""

import sys
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from proxy.text import single_line

JOBS_PER_LINE = 100
"""Jobs are quick: a line in a pipe stands for so many."""


class TerminalProgress:
    """Writes to standard error, so that standard output has the report alone."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar: tqdm[Any] | None = None
        self._what = ""
        self._done = self._total = 0

    def __enter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes the bar."""
        self._close()

    def say(self, text: str) -> None:
        """Shows a line, above the bar. Part of it may be the service's own words."""
        text = single_line(text)
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def begin(self, what: str, total: int) -> None:
        """Starts a part of the run."""
        self._close()
        self._what, self._done, self._total = what, 0, total
        if self._is_terminal:
            self._bar = tqdm(total=total, desc=what, leave=False)
        else:
            self.say(f"{what}: {total}")

    def step(self, text: str) -> None:
        """Shows that one more step is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
            self._bar.set_postfix_str(single_line(text[:60]), refresh=False)
        elif self._what != "jobs" or self._done % JOBS_PER_LINE == 0:
            self.say(f"{self._done}/{self._total} {text}")

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
