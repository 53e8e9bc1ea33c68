"""A hop whose faults come by chance: one now and then, and many at once for a moment."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.fault_proxy import Hop, Mode
from tests.support.storage import Storage

MODES = (Mode.LOSE, Mode.LOSE, Mode.HANG_UP, Mode.RESET, Mode.CUT_OFF, Mode.DELAY, Mode.FAIL, Mode.FAIL)
SERVICES = ("Table", "Blob", "Queue")

# The part of all requests that fail in quiet times and in bad moments, how long such a moment is, and how often.
QUIET, BAD = 0.03, 0.6
MOMENT = 1.0
BAD_MOMENTS = 0.1

DELAY_SECONDS = 0.7


class FlakyHop(Hop):
    """Does each request well, or one of MODES to it; `is_flaky` turns that off."""

    def __init__(self, storage: Storage, service: str = "Table") -> None:
        super().__init__(storage, service)
        self.seconds = DELAY_SECONDS
        self.is_flaky = True
        self.done: Counter[str] = Counter()
        """How many requests there were of each fault, and without."""
        self._chance = random.Random(service)  # noqa: S311 - no secret
        self._until = 0.0
        self._rate = QUIET

    def _mode_for(self, _method: str) -> Mode:
        if not self.is_flaky:
            return Mode.WELL
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + MOMENT
            self._rate = BAD if self._chance.random() < BAD_MOMENTS else QUIET
        mode = self._chance.choice(MODES) if self._chance.random() < self._rate else Mode.WELL
        self.done[mode.value] += 1
        return mode


@dataclass(frozen=True)
class FlakyStorage:
    """Hops before all services of a storage account."""

    hops: list[FlakyHop]
    connection_string: str

    @classmethod
    @contextmanager
    def before(cls, storage: Storage) -> Iterator["FlakyStorage"]:
        """All of them are flaky from the start."""
        with ExitStack() as stack:
            hops = [stack.enter_context(FlakyHop.before(storage, service)) for service in SERVICES]
            assert all(isinstance(hop, FlakyHop) for hop in hops)
            parts = dict(part.partition("=")[::2] for part in hops[0].connection_string.split(";") if part)
            for service, hop in zip(SERVICES, hops, strict=True):
                name = f"{service}Endpoint"
                parts[name] = dict(part.partition("=")[::2] for part in hop.connection_string.split(";") if part)[name]
            yield cls(
                [hop for hop in hops if isinstance(hop, FlakyHop)],
                ";".join(f"{name}={value}" for name, value in parts.items()),
            )

    def calm(self) -> None:
        """From now on all is well."""
        for hop in self.hops:
            hop.is_flaky = False

    @property
    def done(self) -> Counter[str]:
        """How many requests there were of each fault, and without."""
        return sum((hop.done for hop in self.hops), Counter())
