"""The changes of a job: try again, and end it. Each asks first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from adapters.errors import ConflictError
from adapters.model.jobs import JobRecord, JobStatus
from proxy.console.context import account_of, session_of
from proxy.console.pages.job import find_row
from proxy.console.paths import JOB, job_path
from proxy.console.rendering import redirect, render
from proxy.console.routing import change, page
from proxy.operations.errors import OperationError
from proxy.operations.job_changes import CHANGED_MEANWHILE, ENDED_ALREADY, abort_job, retry_job
from proxy.operations.job_views import FoundJob, find_refusal
from proxy.operations.masking import mask_secrets


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """A change of a job: the words of the page that asks, and the operation."""

    name: str
    title: str
    question: str
    button: str
    notice: str
    apply: Callable[[FoundJob, str], Awaitable[JobRecord]]
    refuse: Callable[[FoundJob], Awaitable[str | None]]
    is_danger: bool


async def _refuse_end(found: FoundJob) -> str | None:
    return None if found.status is JobStatus.PENDING else ENDED_ALREADY.format(found.status.value)


CHANGES = (
    OperatorChange(
        "retry",
        "Try the job again",
        "The job becomes Pending, and a worker runs it from its begin. Its earlier outputs are deleted.",
        "Try again",
        "retried",
        retry_job,
        find_refusal,
        is_danger=False,
    ),
    OperatorChange(
        "abort",
        "End the job",
        "The job becomes Aborted, with the message “Ended by the operator.” Its data source stays as it is.",
        "End the job",
        "aborted",
        abort_job,
        _refuse_end,
        is_danger=True,
    ),
)


def _ask(asked: OperatorChange) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        """The page that asks before a change."""
        found = await find_row(request, account_of(request))
        refusal = await asked.refuse(found)
        if refusal is not None:
            raise OperationError(refusal)
        record, here = found.held.record, job_path(found.account.name, found.id)
        details = {
            "Account": found.account.name,
            "Id": found.id,
            "Type": record.job_type.value,
            "Data source": record.data_source_name,
            "Status": record.status.value,
            "Message": mask_secrets(record.error_message or ""),
        }
        return render(
            request,
            "confirm.html",
            title=asked.title,
            question=asked.question,
            details=[(name, value) for name, value in details.items() if value],
            action=f"{here}/{asked.name}",
            fields={},
            word=None,
            button=asked.button,
            is_danger=asked.is_danger,
            back=here,
        )

    return ask


def _apply(asked: OperatorChange) -> Callable[[Request, FormData], Awaitable[Response]]:
    async def apply(request: Request, _form: FormData) -> Response:
        """Makes the change, and leads back to the job."""
        found = await find_row(request, account_of(request))
        try:
            await asked.apply(found, session_of(request).user)
        except ConflictError:
            raise OperationError(CHANGED_MEANWHILE) from None
        return redirect(job_path(found.account.name, found.id), asked.notice)

    return apply


ROUTES = (
    *(page(f"{JOB}/{each.name}", _ask(each)) for each in CHANGES),
    *(change(f"{JOB}/{each.name}", _apply(each)) for each in CHANGES),
)
