"""One worker at a time leases a job, and a job whose worker dies goes to another."""

import asyncio
import json
import logging
import time

import pytest
from azure.storage.queue import QueueClient

from adapters.account import AccountStorage
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_queue import Lease, queue_name
from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.support.opened_account import SECONDS, open_account, run, run_refused
from tests.support.storage import Storage
from tests.support.stub_servers import hang, listening

pytestmark = pytest.mark.anyio

# Seconds of a lease that is renewed.
LEASE = 2

START = parse_ticks("2026-01-01T00:00:00Z")


def jobs(count: int) -> list[str]:
    return [new_job_id(START) for _ in range(count)]


def plain(storage: Storage) -> QueueClient:
    """The account's queue, as any other program sees it."""
    return QueueClient.from_connection_string(
        storage.connection_string, queue_name(storage.table_name, storage.account)
    )


async def test_enqueued_job_is_received_and_completed(account: AccountStorage) -> None:
    (job_id,) = jobs(1)
    assert await account.queue.receive() is None
    await account.queue.enqueue(job_id)
    assert await account.queue.approximate_length() == 1
    lease = await account.queue.receive()
    assert lease is not None
    assert (lease.job_id, lease.attempts) == (job_id, 1)
    await lease.complete()
    assert await account.queue.approximate_length() == 0
    assert not await lease.renew()


async def test_create_keeps_an_existing_queue(account: AccountStorage) -> None:
    await account.queue.enqueue(*jobs(1))
    await account.queue.create()
    assert await account.queue.approximate_length() == 1


async def test_concurrent_receivers_get_different_jobs(account: AccountStorage) -> None:
    waiting = jobs(12)
    await asyncio.gather(*(account.queue.enqueue(job_id) for job_id in waiting))
    leases = await asyncio.gather(*(account.queue.receive() for _ in range(20)))
    assert sorted(lease.job_id for lease in leases if lease is not None) == sorted(waiting)


def test_renewed_lease_outlives_its_duration(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        await account.queue.enqueue(*jobs(1))
        lease = await account.queue.receive()
        assert lease is not None
        begun = time.monotonic()
        while time.monotonic() < begun + 1.2 * LEASE:
            await asyncio.sleep(0.2)
            renewed = time.monotonic()
            assert await lease.renew()
            other = await account.queue.receive()
            if time.monotonic() > renewed + LEASE - 0.5:  # a busy machine may hold up everything for that long
                begun = time.monotonic()
                lease = other or lease
            else:
                assert other is None
        await lease.complete()

    run(storage, work, lease=LEASE)


def test_expired_lease_is_lost_to_the_next_receiver(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        await account.queue.enqueue(*jobs(1))
        async with open_account(storage, lease=0.5) as hurried:
            first = await hurried.queue.receive()
            assert first is not None
            async with asyncio.timeout(SECONDS):
                while (second := await account.queue.receive()) is None:  # noqa: ASYNC110 - it is storage that changes
                    await asyncio.sleep(0.1)
            await lose(account, first, second)

    async def lose(account: AccountStorage, first: Lease, second: Lease) -> None:
        assert (second.job_id, second.attempts) == (first.job_id, 2)
        assert not await first.renew()
        await first.complete()
        await first.release()
        assert await account.queue.approximate_length() == 1
        assert await account.queue.receive() is None
        assert await second.renew()
        await second.complete()
        assert await account.queue.approximate_length() == 0

    run(storage, work, lease=300)


async def test_released_job_returns_with_its_attempts(account: AccountStorage) -> None:
    await account.queue.enqueue(*jobs(1))
    for tries in range(1, 5):
        lease = await account.queue.receive()
        assert lease is not None
        assert lease.attempts == tries
        await lease.release()


async def test_complete_during_a_renewal_succeeds(account: AccountStorage) -> None:
    await account.queue.enqueue(*jobs(1))
    lease = await account.queue.receive()
    assert lease is not None
    await asyncio.gather(lease.renew(), lease.renew(), lease.complete())
    assert await account.queue.approximate_length() == 0


async def test_message_never_expires_and_names_its_account(account: AccountStorage, storage: Storage) -> None:
    (job_id,) = jobs(1)
    await account.queue.enqueue(job_id)
    with plain(storage) as queue:
        message = queue.receive_message()
    assert message is not None
    assert json.loads(message.content) == {"account": storage.account, "job": job_id}
    assert message.expires_on is not None
    assert message.expires_on.year > 2100


def test_message_without_a_job_is_deleted(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    (job_id,) = jobs(1)
    odd = ["", "secret", "[]", "{}", '{"account": "other", "job": "' + job_id + '"}']
    odd += [json.dumps({"account": storage.account, "job": job}) for job in ("x", 5, None)] + ["[" * 20_000]

    async def work(account: AccountStorage) -> None:
        with plain(storage) as queue:
            for text in odd:
                queue.send_message(text)
        await account.queue.enqueue(job_id)
        lease = await account.queue.receive()
        assert lease is not None
        assert lease.job_id == job_id
        assert await account.queue.approximate_length() == 1

    with caplog.at_level(logging.WARNING, "adapters.job_queue"):
        run(storage, work)
    assert len(caplog.records) == len(odd)
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "account", ["contoso", "a-b", "x" * 31, "Contoso", "a--b", "-a", "a_b", "x" * 32, "ü", "日本" * 100]
)
@pytest.mark.parametrize("table", ["jobs", "Jobs", "j" * 63])
def test_queue_name_is_valid_and_unique(table: str, account: str) -> None:
    name = queue_name(table, account)
    with QueueClient("http://127.0.0.1:1/a", name, credential={"account_name": "a", "account_key": "YQ=="}):
        assert 3 <= len(name) <= 63
    assert name.replace("-", "").isalnum()
    assert name.isascii()
    assert name == name.lower()
    assert name == queue_name(table.lower(), account)
    assert name not in {queue_name(table, other) for other in ("fabrikam", account + "x", account + "-b", account[1:])}


def test_queue_name_shows_a_plain_account() -> None:
    assert queue_name("Jobs", "contoso") == "jobs-contoso"


def test_queue_name_is_accepted_by_storage(storage: Storage) -> None:
    for account in ("contoso", "Contoso", "ü" * 50):
        name = queue_name(storage.table_name, account)
        with QueueClient.from_connection_string(storage.connection_string, name) as queue:
            queue.create_queue()


def test_refused_credential_raises_access_denied(storage: Storage) -> None:
    async def put(account: AccountStorage) -> None:
        await account.queue.enqueue(*jobs(1))

    run(storage, put)
    with plain(storage) as queue:
        message = queue.receive_message()
    assert message is not None

    async def work(account: AccountStorage) -> None:
        queue = account.queue
        for call in (
            queue.create(),
            queue.enqueue(*jobs(1)),
            queue.receive(),
            queue.approximate_length(),
            queue.extend(message, 1),
            queue.remove(message),
        ):
            with pytest.raises(StorageError) as caught:
                await call
            assert caught.value.code is StorageErrorCode.ACCESS_DENIED

    run_refused(storage, work)


def test_hanging_queue_raises_timeout(storage: Storage) -> None:
    with listening(hang) as port:
        text = f"{storage.connection_string};QueueEndpoint=http://127.0.0.1:{port}/devstoreaccount1"

        async def work(account: AccountStorage) -> None:
            with pytest.raises(StorageError) as caught:
                await account.queue.receive()
            assert caught.value.code is StorageErrorCode.TIMEOUT

        run(storage, work, text=text.replace(";;", ";"), seconds=0.5)
