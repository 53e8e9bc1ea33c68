"""The page of one job, and its outputs."""

import json

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from adapters.account import AccountStorage
from adapters.blobs.sas_links import content_type_of, disposition_of
from adapters.model.jobs import JobStatus
from proxy.console.context import account_of, console_of
from proxy.console.errors import PageNotFoundError
from proxy.console.pages.job_timeline import list_steps
from proxy.console.pages.jobs import job_path, seconds_of
from proxy.console.rendering import redirect, render
from proxy.console.routing import page
from proxy.console.source_context import source_url
from proxy.operations.errors import OperationError
from proxy.operations.job_files import open_output
from proxy.operations.job_report import report_job
from proxy.operations.job_views import FoundJob, find_job
from proxy.operations.masking import mask_secrets

JOB = "/accounts/{account}/jobs/{id}"

NO_JOB = "The account {} has no job {!r}. A job's id has 32 hex digits; the page Jobs shows it."


async def show_job(request: Request) -> Response:
    """One job, also where its row can't be read. Another form of its id leads to the page."""
    account, asked = account_of(request), request.path_params["id"]
    job_id = await account.jobs.find_id(asked)
    report = None if job_id is None else await report_job(account, job_id, console_of(request).accounts.names)
    if report is None:
        raise PageNotFoundError(NO_JOB.format(account.name, asked[:60]))
    here = job_path(account.name, report.job_id)
    if asked != report.job_id:
        return redirect(here)
    detail, now = report.detail, account.clock.now()
    source = detail.record.data_source_name if detail else None
    if source and mask_secrets(source) != source:  # another program's row, and no name of a data source
        source = None
    failure = report.failure
    return render(
        request,
        "job.html",
        account=account.name,
        here=here,
        report=report,
        job=detail.record if detail else None,
        detail=detail,
        is_live=detail is not None and detail.record.status is JobStatus.PENDING,
        steps=list_steps(report, now),
        seconds=seconds_of(detail.record, now) if detail else None,
        source_path=source_url(account.name, source) if source else None,
        asked_for=[(name, _text(value)) for name, value in detail.request.items()] if detail else [],
        failure=None if failure is None else f"Storage: {failure}. What to do: {failure.code.value.hint}.",
        masked=mask_secrets,
    )


async def send_output(request: Request) -> Response:
    """An output of a job, as a file to save."""
    account = account_of(request)
    found = await find_row(request, account)
    try:
        path, opened = await open_output(
            account, found.held.record, request.path_params["output"], console_of(request).accounts.names
        )
    except OperationError as error:
        raise PageNotFoundError(str(error)) from None
    headers = {"Content-Disposition": disposition_of(path.name), "Content-Length": str(opened.size)}
    return StreamingResponse(opened.chunks, headers=headers, media_type=content_type_of(path.name))


async def find_row(request: Request, account: AccountStorage) -> FoundJob:
    """The job that the path names.

    Raises:
        PageNotFoundError: there is none.
        OperationError: its row can't be read.
    """
    asked = request.path_params["id"]
    if await account.jobs.find_id(asked) is None:
        raise PageNotFoundError(NO_JOB.format(account.name, asked[:60]))
    return await find_job([account], asked)


def _text(value: object) -> str:
    return mask_secrets(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


ROUTES = (page(JOB, show_job), page(f"{JOB}/outputs/{{output}}", send_output))
