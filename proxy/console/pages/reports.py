"""The pages of the reports of `migrate` and `compare`."""

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from proxy.console.context import console_of
from proxy.console.errors import PageNotFoundError
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.operations.errors import OperationError
from proxy.operations.report_files import NO_REPORT, list_reports, parse_report, read_content

# Of each table. The file has all.
MOST_ROWS = 200
MOST_QUESTIONS = 60
MOST_MEMBERS = 5
MOST_CHARACTERS = 200

NO_FOLDER = "PROXY_REPORTS_DIR is not set."


async def show_reports(request: Request) -> Response:
    """The newest reports."""
    folder, found, problem = console_of(request).settings.reports_dir, None, None
    if folder is not None:
        try:
            found = await asyncio.to_thread(list_reports, folder)
        except OperationError as error:
            problem = str(error)
    return render(request, "reports.html", folder=folder, found=found, problem=problem)


async def show_report(request: Request) -> Response:
    """One report."""
    name, content = await _read(request)
    try:
        report, problem = await asyncio.to_thread(parse_report, content), None
    except OperationError as error:
        report, problem = None, str(error)
    return render(
        request,
        "report.html",
        name=name,
        size=len(content),
        report=report,
        problem=problem,
        most_rows=MOST_ROWS,
        most_questions=MOST_QUESTIONS,
        most_members=MOST_MEMBERS,
        cut=MOST_CHARACTERS,
    )


async def download_report(request: Request) -> Response:
    """The file of a report, as it is."""
    name, content = await _read(request)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/json", headers=headers)


async def _read(request: Request) -> tuple[str, bytes]:
    folder, name = console_of(request).settings.reports_dir, request.path_params["name"]
    if folder is None:
        raise PageNotFoundError(f"{NO_REPORT} {NO_FOLDER}")
    try:
        return name, await asyncio.to_thread(read_content, Path(folder), name)
    except OperationError as error:
        raise PageNotFoundError(str(error)) from None


ROUTES = (
    page("/reports", show_reports),
    page("/reports/{name}", show_report),
    page("/reports/{name}/file", download_report),
)
