"""The pages that load a file: a form, what reading the file finds, and the way to its job."""

import asyncio
import shutil
from pathlib import Path

from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from proxy.console.context import Console, console_of, session_of
from proxy.console.error_lines import read_error_lines
from proxy.console.errors import PageNotFoundError, RequestRefusedError
from proxy.console.load_form import ACCESS, INPUTS, OPERATIONS, parse_form, values_of
from proxy.console.load_preview import MEGABYTE, NO_DISK, create_job_of, read_file
from proxy.console.paths import job_path
from proxy.console.rendering import is_fragment, redirect, render
from proxy.console.routing import CSRF, FORM_EXPIRED, PAGE_SECONDS, change, form_of, page
from proxy.console.sent_files import NoTurnError, SentFile, SentLoad
from proxy.formats.schema import EntityType
from proxy.operations.errors import OperationError
from proxy.operations.file_loads import FileLoads
from proxy.worker.reader_tasks import DATA

PATIENCE = 3.0
"""Seconds that a browser waits for an end of the work on a file before the page follows it."""

RECEIVE_SECONDS = 1800.0
"""The longest that a file may take on its way here."""

MOST_NAME = 100

TOO_LATE = f"The file did not arrive within {RECEIVE_SECONDS / 60:g} minutes. Load it by the API."
NO_FILE = "Choose a file. An empty one can't be loaded."
NO_ERRORS = "There are no errors."


async def show_form(request: Request) -> Response:
    """The form; parameters of the URL fill its fields."""
    return _form(request, values_of(request.query_params))


async def send_file(request: Request) -> Response:
    """Keeps a file that is sent, and has it read."""
    console, limit = console_of(request), asyncio.timeout(RECEIVE_SECONDS)
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        return _form(request, values_of({}), NO_FILE, 400)  # such a form would be in memory as a whole
    try:
        async with limit, console.files.take_turn():
            form = await form_of(request)
            try:
                received = await _receive(request, console, form)
            finally:
                await form.close()
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except TimeoutError:
        if not limit.expired():
            raise
        problem, status = TOO_LATE, 408
    except NoTurnError as error:
        problem, status = str(error), 503
    except OSError:
        problem, status = NO_DISK, 507
    else:
        if isinstance(received, SentFile):
            await received.start(read_file(console, received), PATIENCE)
            return redirect(f"/load/{received.id}")
        return received
    return _form(request, values_of({}), problem, status)


async def _receive(request: Request, console: Console, form: FormData) -> SentFile | Response:
    """The file of a form, kept; or the form again with what is wrong."""
    session = session_of(request)
    if not session.is_csrf_token(str(form.get(CSRF, ""))):
        raise RequestRefusedError(FORM_EXPIRED)
    try:
        account, load, query_key = parse_form(console, form)
        upload, size = _find_upload(form, console.settings.max_upload_mb)
        async with asyncio.timeout(PAGE_SECONDS):
            loads = FileLoads(console.accounts[account], console.settings, session.user)
            source = await loads.find_source(load)
    except OperationError as error:
        return _form(request, values_of(form), str(error), 400)
    sent = SentLoad(account, load, query_key, source, _shown_name(upload.filename))
    folder = console.files.make_folder()
    try:
        await asyncio.to_thread(_copy, upload, folder)
        return await console.files.add(session.csrf_token, sent, folder, size)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _find_upload(form: FormData, most: int) -> tuple[UploadFile, int]:
    """The file of a form, and its size in bytes; `most` is the limit in megabytes."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.size:
        raise OperationError(NO_FILE)
    if upload.size > most * MEGABYTE:
        raise OperationError(f"The file has {upload.size:,} bytes; allowed are {most:,} MB (PROXY_MAX_UPLOAD_MB).")
    return upload, upload.size


async def show_file(request: Request) -> Response:
    """What reading a file has found, and the button that loads it."""
    file = _find(request)
    if file.job is not None:
        return _lead_to_job(request, file)
    errors = await asyncio.to_thread(read_error_lines, file.error_log)
    preview = file.preview
    return render(
        request,
        "load_file.html",
        file=file,
        load=file.load,
        errors=errors,
        schema=None if preview is None else EntityType.from_json(preview["schema"]),
        input=INPUTS[file.load.request.input],
        operation=OPERATIONS[file.load.request.operation],
    )


async def download_errors(request: Request) -> Response:
    """The whole error log."""
    log = _find(request).error_log
    if not await asyncio.to_thread(log.is_file):
        raise PageNotFoundError(NO_ERRORS)
    return FileResponse(log, media_type="text/plain; charset=utf-8", filename="errors.txt")


async def create_job(request: Request, _form: FormData) -> Response:
    """Has the job created, once."""
    file = _find(request)
    can_load = file.preview is not None and file.problem is None
    if can_load and file.job is None and not file.is_busy:
        file.is_sending, file.refusal = True, None
        await file.start(create_job_of(console_of(request), file, session_of(request).user), PATIENCE)
    return redirect(f"/load/{file.id}") if file.job is None else _lead_to_job(request, file)


def _find(request: Request) -> SentFile:
    return console_of(request).files.find(request.path_params["id"], session_of(request).csrf_token)


def _lead_to_job(request: Request, file: SentFile) -> Response:
    assert file.job is not None  # noqa: S101 - the callers have looked
    response = redirect(job_path(file.load.account, file.job.row_key), "created")
    if is_fragment(request):  # htmx follows a redirect of its own request, so this one is for the page
        return Response(headers={"HX-Redirect": response.headers["Location"]})
    return response


def _form(request: Request, values: dict[str, str], problem: str | None = None, status: int = 200) -> Response:
    console = console_of(request)
    return render(
        request,
        "load.html",
        status=status,
        values=values,
        problem=problem,
        inputs=INPUTS,
        operations=OPERATIONS,
        access=ACCESS,
        most=console.settings.max_upload_mb,
        has_keys=console.ring.keyring.key_store is None,
    )


def _shown_name(name: str | None) -> str:
    shown = "".join(each if each.isprintable() else " " for each in (name or "")[:MOST_NAME])
    return shown if len(name or "") <= MOST_NAME else f"{shown}..."


def _copy(upload: UploadFile, folder: Path) -> None:
    with (folder / DATA).open("wb") as target:
        shutil.copyfileobj(upload.file, target, MEGABYTE)


ROUTES = (
    page("/load", show_form),
    Route("/load/preview", send_file, methods=["POST"]),
    page("/load/{id}", show_file),
    page("/load/{id}/errors", download_errors),
    change("/load/{id}/job", create_job),
)
