"""What the requests of a key add up to, in an hour or on a day (operations contract, section 1)."""

from dataclasses import dataclass, field

from adapters.model.ticks import Ticks, to_datetime

DIGEST_DIGITS = 16
"""Hex digits of a key's digest that name it in usage rows."""

MAX_SOURCES = 10
MAX_AGENTS = 5
MAX_AGENT_LENGTH = 100
MAX_NETWORKS = 5

ANSWERED, ERROR, REFUSED, NOT_SERVED = range(4)
"""The outcomes of a request. Each but the first is also the place of its count, behind that of all requests."""

Names = dict[str, None]
"""Texts without repeats, in the order in which they came."""


@dataclass(slots=True, eq=False)
class Usage:
    """The requests of one key.

    Args:
        digest: the first 16 hex digits of the key's SHA-256.
        name: the name of the program that has the key.
        first, last: when the first and the last request came.
        operations: for each operation the number of its requests, and of those that failed, that were refused, and
            that asked for what is not served.
        sources: at most 10 data sources that requests named.
        agents: at most 5 user agents, each of at most 100 characters.
        networks: at most 5 networks of clients.
    """

    digest: str
    name: str | None
    first: Ticks
    last: Ticks
    operations: dict[str, list[int]] = field(default_factory=dict)
    sources: Names = field(default_factory=dict)
    agents: Names = field(default_factory=dict)
    networks: Names = field(default_factory=dict)

    @property
    def totals(self) -> tuple[int, int, int, int]:
        """The counts of all operations together."""
        requests, errors, refused, not_served = (
            sum(counts[place] for counts in self.operations.values()) for place in range(4)
        )
        return requests, errors, refused, not_served

    def add(self, other: "Usage") -> None:
        """Adds other requests of the same key."""
        if other.last >= self.last:
            self.name = other.name or self.name
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        for operation, counts in other.operations.items():
            own = self.operations.setdefault(operation, [0, 0, 0, 0])
            self.operations[operation] = [mine + more for mine, more in zip(own, counts, strict=True)]
        add_names(self.sources, other.sources, MAX_SOURCES)
        add_names(self.agents, other.agents, MAX_AGENTS)
        add_names(self.networks, other.networks, MAX_NETWORKS)


def hour_of(moment: Ticks) -> str:
    """The UTC hour of a moment as `YYYYMMDDHH`, as partitions name it."""
    return to_datetime(moment).strftime("%Y%m%d%H")


def day_of(moment: Ticks) -> str:
    """The UTC day of a moment as `YYYYMMDD`, as rows name it."""
    return to_datetime(moment).strftime("%Y%m%d")


def add_names(names: Names, added: Names, most: int) -> None:
    """Adds texts while there are fewer than `most`."""
    for name in added:
        if len(names) < most:
            names[name] = None
