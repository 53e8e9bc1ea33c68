"""The observer of a worker's jobs."""

# Outcomes of an attempt, beside the two final states of a job, Completed and Aborted.
GIVEN_BACK = "given_back"
"""The worker stopped; another worker will do the job."""
POSTPONED = "postponed"
"""The job's turn is over; it goes on in another one."""
LOST = "lost"
"""Another worker has the job, or the job has ended."""
FAILED = "failed"
"""A later attempt follows."""


class JobObserver:
    """Observes the jobs of a worker; this class ignores all events.

    The worker calls each method on the event loop. A method must neither block nor raise.
    """

    def polled(self, account: str) -> None:
        """The worker has polled the queue of an account."""

    def started(self, account: str) -> None:
        """An attempt has started."""

    def finished(self, account: str, job_type: str, outcome: str, entities: int, seconds: float) -> None:
        """A started attempt has finished; `entities` loaded or failed in it."""


NULL_OBSERVER = JobObserver()
