"""Any history of changes, outages, restores and suspensions: no answer is older than the last good look allows."""

import asyncio
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.model.ticks import Ticks
from proxy.keyring.key_cache import NEVER, KeyCache, StoredEntry
from proxy.keyring.store import RETRY_SECONDS
from tests.support import virtual_time
from tests.support.key_store import INTERVAL, FakeKeyStore, digest_of, find, look

KEYS = ("a", "b")
STATES = ("master", "query", "revoked", "absent")
FOUND = {"UnknownKeyError": "absent", "RevokedKeyError": "revoked"}
UNAVAILABLE = "KeyStoreUnavailableError"


class History:
    """A process, its store, and what each key was at each moment."""

    def __init__(self) -> None:
        self.store = FakeKeyStore()
        self.keys = self.store.keys()
        self.keys._cache = KeyCache(max_known=1, max_unknown=1)  # noqa: SLF001 - small, so that entries are pushed out
        self.states = {name: [(0.0, "absent")] for name in KEYS}
        self._back_up()
        self.handed_out: list[tuple[str, StoredEntry]] = []
        self.was_restored = False
        self.healed = NEVER
        """When the store's last failure ended."""

    def write(self, name: str, state: str) -> None:
        """Changes a row and does not announce it."""
        self.store.now += 0.001
        if state == "absent":
            self.store.rows.pop(digest_of(name).hex(), None)
        else:
            revoked = Ticks(0) if state == "revoked" else None
            self.store.write(name, role="query" if state == "query" else "master", revoked=revoked)
        self.states[name].append((self.store.now, state))

    async def restore(self) -> None:
        """Puts the saved table back: each row with its content, and as written just now.

        A look follows before the next change: a restored table that catches up with its Sequence between two looks, 5
        seconds apart, can't be told from one that went on.
        """
        rows, changes, states = self.saved
        self.store.now += 0.001
        self.store.rows, self.store.changes = copy(rows), replace(changes, etag=str(self.store.now))
        for name, state in states.items():
            self.states[name].append((self.store.now, state))
        self.was_restored = True
        await look(self.keys, self.store)

    def add_many(self, name: str) -> None:
        """Adds a key that no announcement names."""
        if self.states[name][-1][1] == "absent":
            self.write(name, "master")
        self.store.announce("+", f"another at {self.store.now}")

    async def save(self) -> None:
        """Backs the table up.

        A look follows: a table that is backed up, changed and restored between two looks can't be told either.
        """
        self._back_up()
        await look(self.keys, self.store)

    def _back_up(self) -> None:
        """Keeps the table's rows, its change row, and what its keys are."""
        now = {name: states[-1][1] for name, states in self.states.items()}
        changes = self.store.changes
        assert changes is not None
        self.saved = (copy(self.store.rows), changes, now)

    async def wait(self, seconds: float) -> None:
        """Lets time pass, in which the process looks."""
        for _ in range(int(seconds / INTERVAL)):
            await look(self.keys, self.store)
        self.store.now += seconds % INTERVAL

    def sleep(self, seconds: float) -> None:
        """Lets time pass in which the process is suspended."""
        self.store.now += seconds

    def fail(self) -> None:
        """Lets the store fail."""
        self.store.fail()
        self.healed = float("inf")

    def heal(self) -> None:
        """Lets the store answer again."""
        self.store.fail(None)
        self.healed = self.store.now

    async def overtake(self, name: str, state: str) -> None:
        """Looks a key up, which changes meanwhile."""

        async def change() -> None:
            self.change(name, state)
            await look(self.keys, self.store)

        self.store.during_read = change
        await self.find(name)
        self.store.during_read = None

    def change(self, name: str, state: str) -> None:
        """Changes a row and announces it."""
        self.write(name, state)
        self.store.announce(name)

    def check_entries(self) -> None:
        """Checks what responses of before may be repeated."""
        for name, entry in self.handed_out:
            if entry.is_valid():
                self.check(name, entry.grant.role.value)

    async def find(self, name: str) -> None:
        """Looks a key up, and checks what is found."""
        found = await find(self.keys, name)
        if found == UNAVAILABLE:
            assert self.store.look_error is not None or self.keys._watch.is_failing  # noqa: SLF001
            return
        assert found != "UnknownKeyError" or not self.keys._watch.is_failing  # noqa: SLF001
        if found == "contoso":
            entry = self.keys._cache.peek(digest_of(name))  # noqa: SLF001
            assert entry is not None
            self.handed_out.append((name, entry))
            found = entry.grant.role.value
        self.check(name, FOUND.get(found, found))

    def check(self, name: str, found: str) -> None:
        """Whether a key was so at the last good look or since then."""
        since = self.keys._watch.last_good  # noqa: SLF001
        history = self.states[name]
        first = max(number for number, (at, _) in enumerate(history) if at <= since)
        possible = {state for _, state in history[first:]}
        # An entry that a restored table has marked with all others is used while it can't be read again.
        is_old = self.was_restored and self.store.now <= self.healed + RETRY_SECONDS
        assert found in possible or is_old, (name, found, possible)


key = st.sampled_from(KEYS)
STEPS = st.one_of(
    st.tuples(st.just(History.change), key, st.sampled_from(STATES)),
    st.tuples(st.just(History.overtake), key, st.sampled_from(STATES)),
    st.tuples(st.sampled_from((History.add_many, History.find, History.find)), key),
    st.tuples(st.sampled_from((History.save, History.restore, History.fail, History.heal))),
    st.tuples(st.sampled_from((History.wait, History.wait, History.sleep)), st.sampled_from((0.5, 5.0, 20.0, 700.0))),
)


BACKED_UP_BETWEEN_LOOKS: list[tuple[Any, ...]] = [
    (History.find, "a"),
    (History.change, "a", "master"),
    (History.save,),
    (History.change, "b", "master"),
    (History.find, "b"),
    (History.restore,),
    (History.find, "b"),
]


@pytest.mark.slow
@settings(max_examples=500)
@example(BACKED_UP_BETWEEN_LOOKS)
@given(st.lists(STEPS, min_size=10, max_size=60))
def test_no_answer_is_older_than_the_last_good_look(steps: list[tuple[Any, ...]]) -> None:
    async def run() -> None:
        history = History()
        for step, *arguments in steps:
            done = step(history, *arguments)
            if done is not None:
                await done
            await asyncio.sleep(0)
            history.check_entries()

    virtual_time.run(run())
