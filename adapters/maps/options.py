"""What the Azure Maps of all accounts share in a process."""

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.credentials.config import MapsEntry
from adapters.maps.access import open_access
from adapters.maps.client import ItemBudget, MapsClient
from adapters.maps.observer import MapsObserver, null_observer
from adapters.maps.throttle import Throttles

CALLS_PER_SECOND = 5.0


@dataclass(frozen=True, slots=True)
class MapsOptions:
    """The rate and the day's bound.

    Attributes:
        items_per_day: of each account, for all processes; None: without bound.
        throttles: the rate, of each Azure Maps account and this process.
        observer_for: makes the observer of the account of this name.
    """

    items_per_day: int | None = None
    throttles: Throttles = field(default_factory=lambda: Throttles(CALLS_PER_SECOND))
    observer_for: Callable[[str], MapsObserver] = null_observer


def open_maps(account: str, entry: MapsEntry, options: MapsOptions, budget: ItemBudget | None) -> MapsClient:
    """Opens the Azure Maps of an account, without a request.

    Raises:
        MapsError: the entry can't be used; the text says why and holds no secret.
    """
    access = open_access(entry)
    throttle = options.throttles.of(entry.endpoint, access.account)
    return MapsClient(entry.endpoint, access, throttle, options.observer_for(account), budget)
