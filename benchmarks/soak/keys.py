"""Two servers and an operator for ten minutes: keys come and go while their store goes away twice.

Each answer is judged by the states that its key had within the last seven seconds, or ten after a return of the store.
"""

import asyncio
import http.client
import random
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from adapters.tables.key_changes import KeyChanges
from benchmarks.keys import UNAUTHORIZED, record_of, settings_of, status_of, with_changes
from benchmarks.servers import OK, proxy
from benchmarks.soak.figures import Figure, at_least, none_of
from tests.support.fault_proxy import Mode
from tests.support.key_rows import KeyRows, digest_of
from tests.support.storage import Storage

ROW = "keys"
SEED = 21
MINUTES = 10.0
KEYS = 100
# Keys that are not there at first. Those that one network tries before they are added count as guesses.
ADDED_LATER = 20
POLLERS = 2

# Seconds within which a change is in force, and within which all is well after the store's return.
IN_FORCE, AFTER_RETURN = 7.0, 10.0

# When the store is away, in parts of the run, and how.
OUTAGES = ((0.25, 0.35, Mode.REFUSE), (0.6, 0.7, Mode.HANG))

UNAVAILABLE = 503
NEVER_ADDED = (0.0, 0.0, UNAUTHORIZED)


@dataclass
class Key:
    """A key's states in turn: from when a change of it began, until when it had ended, and the status that it gives."""

    name: str
    changes: list[tuple[float, float, int]] = field(default_factory=lambda: [NEVER_ADDED])

    def is_unsettled(self, since: float, until: float) -> bool:
        """Whether it changed in between, or was not there before."""
        changes = [each for each in self.changes if each[0] <= until]
        return changes[-1][1] >= since or changes == [NEVER_ADDED]

    def statuses(self, since: float, until: float) -> set[int]:
        """The statuses of the states that it had at any time in between."""
        last = bisect_left(self.changes, (until, float("inf"), 0))
        changes = list(self.changes[:last])
        ends = [end for _, end, _ in changes[1:]] + [float("inf")]
        return {status for (_, _, status), end in zip(changes, ends, strict=True) if end >= since}


@dataclass(frozen=True)
class Answer:
    """A status, and when its request was sent and it came."""

    key: Key
    sent: float
    came: float
    status: int


class Run:
    """What goes on at once, and what came of it."""

    def __init__(self, storage: Storage, keys: KeyRows, seconds: float) -> None:
        self.storage, self.store, self.seconds = storage, keys, seconds
        self.keys = [Key(f"soak-{number}") for number in range(KEYS)]
        self.outages: list[tuple[float, float]] = []
        self.answers: list[Answer] = []
        self.guesses: Counter[int] = Counter()
        self.ended = threading.Event()

    def poll(self, port: int, job: str, seed: int) -> None:
        """Asks for a job with one key after the other."""
        chosen = random.Random(seed)  # noqa: S311 - the same on each run is the point
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not self.ended.is_set():
            key, sent = chosen.choice(self.keys), time.monotonic()
            connection.request("GET", status_of(job, key.name))
            answer = connection.getresponse()
            answer.read()
            self.answers.append(Answer(key, sent, time.monotonic(), answer.status))
            time.sleep(0.005)
        connection.close()

    def guess(self, port: int, job: str) -> None:
        """Asks with keys that nobody has."""
        numbers = count()
        while not self.ended.wait(0.2):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            number = next(numbers)
            # From other addresses than the polls: a network that guesses delays its own new keys.
            address = {"X-Forwarded-For": f"10.0.{number // 250 % 250}.{number % 250}"}
            connection.request("GET", status_of(job, f"guess-{number}"), headers=address)
            self.guesses[connection.getresponse().status] += 1
            connection.close()

    def operate(self) -> None:
        """Adds, revokes and reinstates keys. The operator reaches the store also where the servers don't."""
        asyncio.run(with_changes(self.storage, self.store, self._change))

    def begin(self) -> None:
        """Adds the keys that are there at first."""

        async def add(changes: KeyChanges) -> None:
            for key in self.keys[ADDED_LATER:]:
                await changes.add(record_of(self.storage, key.name))
                key.changes = [(0.0, 0.0, OK)]

        asyncio.run(with_changes(self.storage, self.store, add))

    async def _change(self, changes: KeyChanges) -> None:
        chosen = random.Random(SEED)  # noqa: S311 - as above
        while not self.ended.is_set():
            key, began = chosen.choice(self.keys), time.monotonic()
            digest = digest_of(key.name)
            if key.changes[-1][2] != OK and len(key.changes) == 1:
                await changes.add(record_of(self.storage, key.name))
            elif key.changes[-1][2] == OK:
                await changes.revoke(digest)
            else:
                await changes.reinstate(digest)
            status = UNAUTHORIZED if key.changes[-1][2] == OK else OK
            key.changes.append((began, time.monotonic(), status))
            await asyncio.sleep(chosen.uniform(0.1, 0.5))

    def interrupt(self) -> None:
        """Takes the store away from the servers, and gives it back."""
        started = time.monotonic()
        for begin, end, mode in OUTAGES:
            if self.ended.wait(started + begin * self.seconds - time.monotonic()):
                return
            away = time.monotonic()
            self.outages.append((away, float("inf")))
            self.store.hop.mode = mode
            self.ended.wait(started + end * self.seconds - time.monotonic())
            self.store.hop.mode = Mode.WELL
            self.outages[-1] = (away, time.monotonic())

    def is_right(self, answer: Answer) -> bool:
        """Whether an answer fits a state that its key had lately."""
        since, may_fail = answer.sent - IN_FORCE, False
        for away, back in self.outages:
            if away <= answer.came and answer.sent <= back + AFTER_RETURN:
                since = min(since, away - IN_FORCE)
                # A known key that has not changed is answered as before.
                may_fail |= answer.key.is_unsettled(since, answer.came)
        if answer.status == UNAVAILABLE:
            return may_fail
        return answer.status in answer.key.statuses(since, answer.came)


def keys(storage: Storage, *, minutes: float = MINUTES) -> Iterator[Figure]:
    """Yields what was wrong, and how much was asked."""
    job = storage.job(DataSourceName="FourthCoffee", OutputBlob="exports/coffee.xml")
    with KeyRows.open(storage) as store, ExitStack() as stack:
        run = Run(storage, store, minutes * 60)
        run.begin()
        settings = settings_of(storage, store) | {"trusted_proxies": "127.0.0.1"}
        ports = [stack.enter_context(proxy(storage, **settings))[0] for _ in range(2)]
        threads = [
            threading.Thread(target=run.poll, args=(port, job, SEED + number))
            for number, port in enumerate(ports * POLLERS)
        ]
        threads += [threading.Thread(target=run.guess, args=(port, job)) for port in ports]
        threads += [threading.Thread(target=run.operate), threading.Thread(target=run.interrupt)]
        for thread in threads:
            thread.start()
        time.sleep(run.seconds)
        run.ended.set()
        for thread in threads:
            thread.join()
    wrong = Counter(answer.status for answer in run.answers if not run.is_right(answer))
    changes = sum(len(key.changes) - 1 for key in run.keys)
    yield at_least(ROW, "answers", len(run.answers), int(minutes * 1_000))
    yield at_least(ROW, "changes of keys", changes, int(minutes * 60))
    yield at_least(ROW, "times that the store was away", len(run.outages), len(OUTAGES))
    yield none_of(ROW, "answers that were wrong for the key's state", wrong.total())
    odd = sum(number for status, number in run.guesses.items() if status not in {UNAUTHORIZED, UNAVAILABLE})
    yield none_of(ROW, "guessed keys that opened something", odd)
