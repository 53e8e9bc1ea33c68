"""Failures of Azure Maps by what a caller does about them (geocode.md, section 7)."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class MapsFailureKind:
    """A kind of failure: its name in logs and metrics, and what the operator should look at."""

    name: str
    hint: str


class MapsFailure(Enum):
    """The kinds of failure."""

    CREDENTIAL = MapsFailureKind("credential", "mend this account's maps entry")
    REFUSED = MapsFailureKind("refused", "check this account's maps entry: its key or identity, role and endpoint")
    THROTTLED = MapsFailureKind("throttled", "others use the same Azure Maps account, or the rate set is above its own")
    TIMEOUT = MapsFailureKind("timeout", "Azure Maps did not answer in time")
    PARTIAL = MapsFailureKind("partial", "Azure Maps is well: it answers the items in pages")
    REJECTED = MapsFailureKind("rejected", "Azure Maps is well: the request held a value that it does not take")
    UNAVAILABLE = MapsFailureKind("unavailable", "check the endpoint and DNS, and see Azure's service health")
    DAY_BOUND = MapsFailureKind("day bound", "the items of this UTC day are used up; wait, or raise the bound")


FINAL = frozenset({MapsFailure.CREDENTIAL, MapsFailure.REFUSED})
"""What no repeat mends: every other call fails alike."""

REPEATED = frozenset({MapsFailure.THROTTLED, MapsFailure.UNAVAILABLE})
"""What the same call may not meet a second time."""


class MapsError(Exception):
    """Azure Maps did not answer. The text is fit for a log: it holds no key, token or address.

    Attributes:
        failure: the kind.
        retry_after: seconds after which Azure Maps, or this process, takes the call; None where nobody knows.
        items_left: of a day's bound, how many items fit in yet.
        message: of a rejected call, a sentence for the client that sent the item. It may repeat the client's address.
    """

    def __init__(
        self,
        failure: MapsFailure,
        detail: str,
        *,
        retry_after: float | None = None,
        message: str = "",
        items_left: int = 0,
    ) -> None:
        super().__init__(f"Azure Maps: {failure.value.name}: {detail}")
        self.failure = failure
        self.retry_after = retry_after
        self.message = message
        self.items_left = items_left


class AskStoppedError(Exception):
    """The caller wanted no further call. The answers so far are in the mapping that it passed."""
