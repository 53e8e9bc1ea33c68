"""The one write that a job makes to its data source's row."""

from adapters.model.versions import Change, idempotent
from adapters.tables.data_source_store import DataSource
from proxy.worker.job import JobAbortedError, RunningJob

MISSING = "There is no such data source."


async def change_source(job: RunningJob, change: Change) -> DataSource:
    """Changes the data source of a job in one atomic step, once however often the job is done.

    Raises:
        AbortedError: there is no such data source, it is being deleted, or it is not the one that was meant.
        EndedError: this try does not count any more.
    """
    single = idempotent(job.id, change)

    def changed(source: DataSource | None) -> DataSource:
        if source is None:
            raise JobAbortedError(MISSING)
        job.refuse_other(source)
        refuse_deleting(source)
        return single(source)

    stored = await job.account.data_sources.change(job.name, changed, job.confirm)
    assert stored is not None  # noqa: S101 - `changed` never gives None
    return stored


def refuse_deleting(source: DataSource) -> None:
    """Raises AbortedError where a delete job is under way."""
    if source.deleting is not None:
        raise JobAbortedError("The data source is being deleted.")
