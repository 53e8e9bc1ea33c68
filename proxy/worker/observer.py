"""What can be seen of a worker's jobs from outside. The class here looks away."""

from adapters.job_queue import Lease
from proxy.worker.job import RunningJob

# How an attempt ends, beside the two ways in which a job does: Completed and Aborted.
GIVEN_BACK = "given back"
"""The worker was told to stop; another will do it."""
LOST = "lost"
"""The lease, or the job itself, is another worker's by now, or the job was ended."""
FAILED = "failed"
"""It will be tried again."""


class JobObserver:
    """Looks on. Every method is called on the event loop, may not wait, and must not raise."""

    def looked(self, account: str) -> None:
        """The queue of an account was looked at."""

    def began(self, account: str, lease: Lease, job: RunningJob) -> None:
        """A leased job is begun; its counts go on while it is done."""

    def ended(self, lease: Lease, outcome: str) -> None:
        """It has ended; where it was said before, or it was not begun, this says nothing."""


NULL_OBSERVER = JobObserver()
