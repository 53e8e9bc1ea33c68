"""What keys in a table cost, and how soon a change is in force (keys contract, section 5)."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

from adapters.credentials.config import ConnectionStringConfig
from adapters.model.key_records import KeyRecord
from adapters.model.ticks import from_datetime
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_rows import write_key
from adapters.tables.key_table import KeyTable
from benchmarks.figures import Figure
from benchmarks.footprint import resident_mb
from benchmarks.load import load
from benchmarks.polling import measured, ratios
from benchmarks.rows import BATCH
from benchmarks.servers import OK, get, proxy, stand_in
from proxy.demo.azurite import start_emulator
from tests.support.key_rows import KeyRows, digest_of
from tests.support.live import MASTER
from tests.support.storage import Storage

STORED, IN_USE, ADDED, OPERATOR_CHANGES = 100_000, 1_000, 1_000, 200
UNAUTHORIZED = 401

# Seconds after which no look has missed a change.
SETTLED = 12.0


def key_store(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yields all figures of the key store."""
    job = storage.job(DataSourceName="FourthCoffee", OutputBlob="exports/coffee.xml")
    with KeyRows.open(storage) as keys:
        keys.write(MASTER)
        yield from _polls(storage, keys, job, rounds, seconds)
        yield from _effect(storage, keys, job)
        yield from _operators(storage, keys)
        yield from _reads(storage, keys, job)
    with KeyRows.open(storage) as keys:
        yield from _start(storage, keys, job, rounds)


def settings_of(storage: Storage, keys: KeyRows, connection_string: str = "") -> dict[str, Any]:
    """The settings of a server whose keys are in this store, behind its hop unless there is another way."""
    entry = {"storage": {"connection_string": storage.connection_string}}
    store = {"connection_string": connection_string or keys.hop.connection_string}
    ring = {"accounts": {storage.account: entry}, "key_store": store}
    return {"keyring": json.dumps(ring), "keys_table": keys.table_name}


def status_of(job: str, key: str) -> str:
    """The target of a job's status, with this key."""
    return f"/REST/v1/Dataflows/LoadDataSource/{job}?key={key}"


def record_of(storage: Storage, key: str) -> KeyRecord:
    """A row of this key."""
    return KeyRecord(digest_of(key), storage.account, created=from_datetime(datetime.now(UTC)))


async def with_changes(storage: Storage, keys: KeyRows, work: Callable[[KeyChanges], Awaitable[object]]) -> None:
    """Runs an operator's work on the store, with connections of its own."""
    table = KeyTable(ConnectionStringConfig(storage.connection_string), keys.table_name, 5)
    try:
        await work(KeyChanges(table))
    finally:
        await table.close()


def _polls(storage: Storage, keys: KeyRows, job: str, rounds: int, seconds: float) -> Iterator[Figure]:
    direct = settings_of(storage, keys, storage.connection_string)
    with ExitStack() as stack:
        static = stack.enter_context(stand_in("static"))
        of_ring, _ = stack.enter_context(proxy(storage))
        of_store, _ = stack.enter_context(proxy(storage, **direct))
        targets = [status_of(job, MASTER)]
        runs = {"static": (static, ["/"]), "ring": (of_ring, targets), "store": (of_store, targets)}
        outcomes = measured(runs, rounds, seconds)
    rate = ratios(outcomes, "rate")
    yield Figure("remembered poll, key of a ring, requests/s", rate["ring"], "of static")
    yield Figure("remembered poll, key of a store, requests/s", rate["store"], "of static")
    yield Figure("the same, beside that of a ring", ratios(outcomes, "rate", "ring")["store"], "", at_least=0.98)


def _effect(storage: Storage, keys: KeyRows, job: str) -> Iterator[Figure]:
    """Adds and revokes a key while it polls a remembered job, under load, in two processes."""
    settings = settings_of(storage, keys, storage.connection_string)
    added, revoked = list[float](), list[float]()
    with ExitStack() as stack:
        ports = [stack.enter_context(proxy(storage, **settings))[0] for _ in range(2)]
        threads = stack.enter_context(ThreadPoolExecutor(4))
        loads = [threads.submit(load, port, [status_of(job, MASTER)], 60.0, 4) for port in ports]
        for number in range(4):
            key = f"effect-{number}"
            target = status_of(job, key)
            for port in ports:
                get(port, target)  # refused, and so remembered as unknown
            keys.write(key)
            added += threads.map(lambda port, target=target: _seconds_until(port, target, OK), ports)
            keys.revoke(key)
            revoked += threads.map(lambda port, target=target: _seconds_until(port, target, UNAUTHORIZED), ports)
        bad = sum(each.result().bad for each in loads)
    yield Figure("added key in force, two processes, longest", max(added), "s", at_most=7)
    yield Figure("revoked key out of force, two processes, longest", max(revoked), "s", at_most=7)
    yield Figure("other answers that were not good meanwhile", bad, "", at_most=0)


def _seconds_until(port: int, target: str, status: int) -> float:
    started = time.monotonic()
    while get(port, target)[0] != status:
        if time.monotonic() - started > 60:
            raise TimeoutError(f"no {status}")
        time.sleep(0.01)
    return time.monotonic() - started


def _operators(storage: Storage, keys: KeyRows) -> Iterator[Figure]:
    """Two operators at once: each adds keys, and revokes half of them."""
    before = _sequence(keys)

    async def operate(who: int, changes: KeyChanges) -> None:
        names = [f"operator-{who}-{number}" for number in range(OPERATOR_CHANGES)]
        for name in names:
            await changes.add(record_of(storage, name))
        for name in names:
            await changes.revoke(digest_of(name))

    async def work() -> None:
        await asyncio.gather(*(with_changes(storage, keys, partial(operate, who)) for who in range(2)))

    started = time.monotonic()
    asyncio.run(work())
    seconds = time.monotonic() - started
    revoked = {row["RowKey"] for row in keys.table.query_entities("RevokedAt gt datetime'2000-01-01T00:00:00Z'")}
    lost = len(_digests() - revoked)
    yield Figure("two operators, 200 adds and revokes each: changes lost", lost, "", at_most=0)
    yield Figure("the same: growth of Sequence", _sequence(keys) - before, "", at_least=400)
    yield Figure("the same: changes a second", 4 * OPERATOR_CHANGES / seconds, "")


def _sequence(keys: KeyRows) -> int:
    return int(keys.table.get_entity("~", "changes")["Sequence"].value)


def _digests() -> set[str]:
    return {digest_of(f"operator-{who}-{number}") for who in range(2) for number in range(OPERATOR_CHANGES)}


def _reads(storage: Storage, keys: KeyRows, job: str) -> Iterator[Figure]:
    """Counts what a server reads of the store while 1,000 keys are in use."""
    used = [f"used-{number}" for number in range(IN_USE)]
    for key in used:
        keys.write(key, is_announced=False)
    with proxy(storage, **settings_of(storage, keys)) as (port, _):
        targets = [status_of(job, key) for key in used]
        _ask_each(port, targets)
        before, started = len(keys.hop.asked), time.monotonic()
        while time.monotonic() - started < 60:
            load(port, targets, 5.0, 4)
        reads = len(keys.hop.asked) - before
        yield Figure("reads of the store in 60 s, 1,000 keys in use", reads, "", at_most=13)
        of_keys = keys.key_reads

        async def add(changes: KeyChanges) -> None:
            for number in range(ADDED):
                await changes.add(record_of(storage, f"added-{number}"))

        with ThreadPoolExecutor(1) as threads:
            adding = threads.submit(asyncio.run, with_changes(storage, keys, add))
            while not adding.done():
                load(port, targets, 2.0, 4)
            adding.result()
        load(port, targets, SETTLED, 4)
        yield Figure("keys read again while 1,000 others are added", keys.key_reads - of_keys, "", at_most=0)


def _start(storage: Storage, keys: KeyRows, job: str, rounds: int) -> Iterator[Figure]:
    """The start and the memory with many keys in the store, some of them in use."""
    _write_keys(storage, keys, STORED)
    settings, seconds = settings_of(storage, keys, storage.connection_string), list[float]()
    targets = [status_of(job, f"stored-{number}") for number in range(IN_USE)]
    for _ in range(rounds):
        started = time.perf_counter()
        with proxy(storage, **settings) as (port, process):
            _ask_each(port, targets[:1])
            seconds.append(time.perf_counter() - started)
    with proxy(storage, **settings) as (port, process):
        _ask_each(port, targets)
        memory = resident_mb(process)
    yield Figure(f"start to first answer, {STORED:,} keys in the store", median(seconds), "s", at_most=1.5)
    yield Figure(f"memory with {STORED:,} keys, {IN_USE:,} in use", memory, "MB", at_most=130)


def _write_keys(storage: Storage, keys: KeyRows, count: int) -> None:
    partitions: dict[str, list[dict[str, Any]]] = {}
    for number in range(count):
        row = write_key(record_of(storage, f"stored-{number}"))
        partitions.setdefault(row["PartitionKey"], []).append(row)
    batches = [rows[at : at + BATCH] for rows in partitions.values() for at in range(0, len(rows), BATCH)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda rows: keys.table.submit_transaction([("create", row) for row in rows]), batches))
    keys.announce(MASTER)


def _ask_each(port: int, targets: Sequence[str]) -> None:
    """Sends each request once; a key new to a network waits behind the throttle, so in small groups."""
    for target in targets:
        while (status := get(port, target)[0]) != OK:
            if status != 503:
                raise RuntimeError(f"answered {status}")
            time.sleep(0.2)


if __name__ == "__main__":
    with start_emulator() as emulator, Storage.open(emulator, "keys") as opened:
        for each in key_store(opened, 5, 1.0):
            print(f"{each.what:60} {each.value:12,.2f} {each.unit:12} {each.goal}", flush=True)
