"""The queue in which one account's jobs wait for a worker.

Each account has a queue of its own, also where several share a storage account: else whoever took another account's
message would count as one of its tries, and `length` would count everybody's.
"""

import asyncio
import json
import logging
import math
import re
from hashlib import sha256

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from adapters.errors import StorageError
from adapters.model.job_ids import is_row_id
from adapters.sdk_calls import error_code, storage_call

log = logging.getLogger(__name__)

# What storage says when a message is another taker's by now, or done.
_LOST = {"MessageNotFound", "PopReceiptMismatch"}

# Never: the default is seven days, and a job may wait longer for a worker.
_TIME_TO_LIVE = -1

# A queue's name is 3 to 63 of these, with single dashes between.
_NAME_LENGTH = 63
_READABLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_READABLE_LENGTH = 31
_TABLE_LENGTH = _NAME_LENGTH - 33


def queue_name(jobs_table: str, account: str) -> str:
    """The name of an account's queue: the jobs table's in lower case, a dash, and the account's.

    An account whose name can't stand in a queue's name has 32 hex digits of a digest there.
    """
    table = jobs_table.lower()
    name = f"{table}-{account}"
    if _READABLE.fullmatch(account) and len(account) <= _READABLE_LENGTH and len(name) <= _NAME_LENGTH:
        return name
    return f"{table[:_TABLE_LENGTH]}-{sha256(f'{table}/{account}'.encode()).hexdigest()[:32]}"


class Lease:
    """One job's message, hidden from other takers until the lease ends.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(self, queue: "JobQueue", message: QueueMessage, job_id: str) -> None:
        self.job_id = job_id
        self.attempts = message.dequeue_count or 1
        """How often the message has been taken, this time included."""
        self._queue = queue
        self._message = message
        self._turn = asyncio.Lock()  # each renewal makes a new receipt, without which the next call would be refused

    @property
    def message_id(self) -> str:
        """The id of the message, as its receiver knows it."""
        return str(self._message.id)

    async def renew(self) -> bool:
        """Begins the lease anew; False where it was lost: another worker has the job, or it is done."""
        async with self._turn:
            return await self._hide(self._queue.lease_seconds)

    async def complete(self) -> None:
        """Takes the message away; where the lease was lost it is another's, and stays."""
        async with self._turn:
            await self._queue.remove(self._message)

    async def release(self, after: float = 0) -> None:
        """Lets any worker take the message after so many seconds; where the lease was lost, it is another's."""
        async with self._turn:
            await self._hide(math.ceil(after))

    async def _hide(self, seconds: int) -> bool:
        message = await self._queue.extend(self._message, seconds)
        self._message = message or self._message
        return message is not None


class JobQueue:
    """The jobs of one account that wait for a worker, oldest first by and large.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(self, account: str, client: QueueClient, lease_seconds: float, seconds: float) -> None:
        """Whoever takes a message has it for `lease_seconds`; `seconds` is the longest that one call may take."""
        self._account = account
        self._client = client
        self._seconds = seconds
        self.lease_seconds = max(1, math.ceil(lease_seconds))

    async def enqueue(self, job_id: str, *, after: float = 0) -> None:
        """Lets a worker take this job after so many seconds.

        It is taken once at least, so that whoever does it must bear to do it again.
        """
        await self._send(job_id, math.ceil(after))

    async def put_leased(self, job_id: str) -> Lease:
        """Puts a job and takes it at once, ahead of all that wait; should its taker die, it waits like any other."""
        return Lease(self, await self._send(job_id, self.lease_seconds), job_id)

    async def receive(self) -> Lease | None:
        """A job that waits, None where there is none. A message that is none of this account's jobs is thrown away."""
        while True:
            async with storage_call(self._seconds):
                message = await self._client.receive_message(visibility_timeout=self.lease_seconds)
            if message is None:
                return None
            job_id = self._job_of(message)
            if job_id is not None:
                return Lease(self, message, job_id)
            log.warning("a message that names no job was thrown away", extra={"account": self._account})
            await self.remove(message)

    async def length(self) -> int:
        """About how many jobs wait or are leased."""
        async with storage_call(self._seconds):
            found = await self._client.get_queue_properties()
        return found.approximate_message_count or 0

    async def exists(self) -> bool:
        """Whether the queue is there."""
        try:
            await self.length()
        except StorageError as fault:
            if error_code(fault.__cause__) == "QueueNotFound":
                return False
            raise
        return True

    async def create(self) -> None:
        """Creates the queue where it is missing."""
        try:
            async with storage_call(self._seconds):
                await self._client.create_queue()
        except StorageError as fault:
            if not isinstance(fault.__cause__, ResourceExistsError):
                raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def extend(self, message: QueueMessage, seconds: int) -> QueueMessage | None:
        """Hides a taken message for so long from now; gives it with its new receipt, None where it was lost."""
        try:
            async with storage_call(self._seconds):
                return await self._client.update_message(message, visibility_timeout=seconds)
        except StorageError as fault:
            if error_code(fault.__cause__) in _LOST:
                return None
            raise

    async def remove(self, message: QueueMessage) -> None:
        """Takes a message away, unless it was lost."""
        try:
            async with storage_call(self._seconds):
                await self._client.delete_message(message)
        except StorageError as fault:
            if error_code(fault.__cause__) not in _LOST:
                raise

    async def _send(self, job_id: str, hidden: int) -> QueueMessage:
        text = json.dumps({"account": self._account, "job": job_id})
        async with storage_call(self._seconds):
            return await self._client.send_message(text, time_to_live=_TIME_TO_LIVE, visibility_timeout=hidden)

    def _job_of(self, message: QueueMessage) -> str | None:
        try:
            members = json.loads(message.content)
            account, job_id = members["account"], members["job"]
            return job_id if account == self._account and is_row_id(job_id) else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
