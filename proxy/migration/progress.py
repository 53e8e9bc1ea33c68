"""What a run shows while it goes on."""

from typing import Protocol


class Progress(Protocol):
    """Shows how far a run is."""

    def say(self, text: str) -> None:
        """Shows a line that matters now, such as a wait."""
        ...

    def begin(self, what: str, total: int) -> None:
        """Starts a part of the run, of so many steps."""
        ...

    def step(self, text: str) -> None:
        """Shows that one more step of the part is done."""
        ...
