"""Observer interface for one account's Azure Maps: each call and its items, repeats, and throttling."""

from typing import Literal

from adapters.maps.errors import MapsFailure

MapsOperation = Literal["geocode", "reverse", "route"]


class MapsObserver:
    """Ignores all events. Methods must not block or raise; they run on the event loop."""

    def call_ended(self, operation: MapsOperation, items: int, seconds: float, failure: MapsFailure | None) -> None:
        """A call with so many items, all of them billed, has ended; `failure` is None where it has an answer."""

    def items_ended(self, answered: int, failed: int) -> None:
        """So many items have their final answer, and so many their final error."""

    def repeated(self, items: int) -> None:
        """Items are asked again that were asked before: after a failure of their call, or an error of their own."""


NULL_OBSERVER = MapsObserver()


def null_observer(_account: str) -> MapsObserver:
    """The observer of an account that nothing observes."""
    return NULL_OBSERVER
