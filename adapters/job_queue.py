"""The queue in which one account's jobs wait for a worker.

Each account has its own queue, also where several share a storage account. In a shared queue, receiving another
account's message would count as one of its attempts, and the length would include all accounts.
"""

import asyncio
import json
import logging
import math
import re
from hashlib import sha256

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from adapters.errors import StorageError
from adapters.model.job_ids import is_row_id
from adapters.sdk_calls import error_code, storage_call, try_call

log = logging.getLogger(__name__)

# Error codes for a message that another worker has received since, or that is deleted.
_LOST = {"MessageNotFound", "PopReceiptMismatch"}

# Never expires: the default is seven days, and a job may wait longer for a worker.
_TIME_TO_LIVE = -1

# A queue's name has 3 to 63 of these characters, with single dashes between.
_NAME_LENGTH = 63
_READABLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_READABLE_LENGTH = 31
_TABLE_LENGTH = _NAME_LENGTH - 33


def queue_name(jobs_table: str, account: str) -> str:
    """The name of an account's queue: the jobs table's in lower case, a dash, and the account's.

    For an account whose name is not valid in a queue's name, 32 hex digits of a digest replace it.
    """
    table = jobs_table.lower()
    name = f"{table}-{account}"
    if _READABLE.fullmatch(account) and len(account) <= _READABLE_LENGTH and len(name) <= _NAME_LENGTH:
        return name
    return f"{table[:_TABLE_LENGTH]}-{sha256(f'{table}/{account}'.encode()).hexdigest()[:32]}"


class Lease:
    """One job's message, hidden from other workers until the lease ends.

    Every method raises StorageError where storage can't answer.
    """

    def __init__(self, queue: "JobQueue", message: QueueMessage, job_id: str) -> None:
        self.job_id = job_id
        self.attempts = message.dequeue_count or 1
        """How often the message was received, this time included."""
        self._queue = queue
        self._message = message
        self._lock = asyncio.Lock()  # each renewal makes a new receipt, which the next call needs

    @property
    def message_id(self) -> str:
        """The id of the message, as its receiver knows it."""
        return str(self._message.id)

    async def renew(self) -> bool:
        """Restarts the lease; False where it was lost: another worker has the job, or it is done."""
        return await self._hide(self._queue.lease_seconds)

    async def complete(self) -> None:
        """Deletes the message, unless the lease was lost."""
        async with self._lock:
            await self._queue.remove(self._message)

    async def release(self, after: float = 0) -> None:
        """Lets any worker receive the message after so many seconds, unless the lease was lost."""
        await self._hide(math.ceil(after))

    async def _hide(self, seconds: int) -> bool:
        async with self._lock:
            message = await self._queue.extend(self._message, seconds)
            self._message = message or self._message
            return message is not None


class JobQueue:
    """The jobs of one account that wait for a worker, roughly oldest first.

    Every method raises StorageError where storage can't answer.
    """

    def __init__(self, account: str, client: QueueClient, lease_seconds: float, timeout: float) -> None:
        """A lease lasts for `lease_seconds`; `timeout` is the longest that one call may take, in seconds."""
        self._account = account
        self._client = client
        self._timeout = timeout
        self.lease_seconds = max(1, math.ceil(lease_seconds))

    async def enqueue(self, job_id: str, *, after: float = 0) -> None:
        """Lets workers receive this job after so many seconds. It is delivered at least once, so it may run twice."""
        text = json.dumps({"account": self._account, "job": job_id})
        async with storage_call(self._timeout):
            await self._client.send_message(text, time_to_live=_TIME_TO_LIVE, visibility_timeout=math.ceil(after))

    async def receive(self) -> Lease | None:
        """A waiting job, None where there is none. Messages that name no job of this account are deleted."""
        while True:
            async with storage_call(self._timeout):
                message = await self._client.receive_message(visibility_timeout=self.lease_seconds)
            if message is None:
                return None
            job_id = self._parse(message)
            if job_id is not None:
                return Lease(self, message, job_id)
            log.warning("a message that names no job was thrown away", extra={"account": self._account})
            await self.remove(message)

    async def approximate_length(self) -> int:
        """About how many jobs wait or are leased."""
        async with storage_call(self._timeout):
            properties = await self._client.get_queue_properties()
        return properties.approximate_message_count or 0

    async def exists(self) -> bool:
        """Whether the queue exists."""
        return await try_call(self._client.get_queue_properties(), self._timeout, {"QueueNotFound"})

    async def create(self) -> None:
        """Creates the queue where it is missing."""
        await try_call(self._client.create_queue(), self._timeout, {"QueueAlreadyExists"})

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def extend(self, message: QueueMessage, seconds: int) -> QueueMessage | None:
        """Hides a received message for so long from now.

        Returns:
            The message with its new receipt, None where the lease was lost.
        """
        try:
            async with storage_call(self._timeout):
                return await self._client.update_message(message, visibility_timeout=seconds)
        except StorageError as error:
            if error_code(error.__cause__) in _LOST:
                return None
            raise

    async def remove(self, message: QueueMessage) -> None:
        """Deletes a message, unless its lease was lost."""
        await try_call(self._client.delete_message(message), self._timeout, _LOST)

    def _parse(self, message: QueueMessage) -> str | None:
        try:
            members = json.loads(message.content)
            account, job_id = members["account"], members["job"]
            return job_id if account == self._account and is_row_id(job_id) else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
