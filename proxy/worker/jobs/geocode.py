"""Geocoding: a file of requests becomes two files, of those that have a place and of those that have none (geocode.md).

A job takes its turns. The first reads the whole file and stores what to ask; each asks for some seconds and stores the
answers; the last one writes both outputs. So a worker that dies costs no more than the calls that it had in flight.
"""

import logging

from adapters.blobs.blocks import BLOCK
from adapters.model.jobs import BlobPath, JobRecord
from adapters.remote.fetch import fetch_location
from proxy.worker.geocoding.answers_file import AnswersFile
from proxy.worker.geocoding.calls import IN_FLIGHT, ask_chunks
from proxy.worker.geocoding.checkpoints import Checkpoints, Plan
from proxy.worker.geocoding.tasks import ANSWERS, FAILED, SUCCEEDED, OutputTask, PlannedItems, PlanTask, items_file
from proxy.worker.job import JobAbortedError, RunningJob
from proxy.worker.jobs.load import LOCATION_SECONDS
from proxy.worker.parallel import run_all
from proxy.worker.reader_tasks import DATA

log = logging.getLogger(__name__)

DATA_GONE = "The data that was sent is not there any more."
TOO_MANY_ITEMS = "The file has {:,} different requests, and PROXY_MAPS_ITEMS_PER_JOB allows {:,}."


async def geocode(job: RunningJob) -> JobRecord:
    """Does one turn of a job, and ends it if it is the last one.

    Raises:
        JobAbortedError: nothing can be asked: there is no Azure Maps, or it refuses, or there is too much to ask.
        ReadingError: the file can't be read.
        BlobTooLargeError: the file is too large.
        FetchError: the file can't be fetched.
        PostponedError: there is more to do, in another turn.
        LeaseLostError: the job has ended, or another worker has it.
    """
    checkpoints = Checkpoints(job.account, job.id)
    plan = await checkpoints.read_plan() or await _make_plan(job, checkpoints)
    job.total = plan.rows
    most = job.context.limits.maps_items_per_job
    if most is not None and plan.items > most:
        raise JobAbortedError(TOO_MANY_ITEMS.format(plan.items, most))
    # Loads and other jobs need not wait for a slow, throttled or broken Azure Maps.
    job.context.lend_slot()
    with (job.folder / ANSWERS).open("wb", BLOCK) as file:
        answers = AnswersFile(file)
        given_up = await ask_chunks(job, plan, checkpoints, answers)
        return await _end(job, plan, checkpoints, answers, given_up)


async def _make_plan(job: RunningJob, checkpoints: Checkpoints) -> Plan:
    """Reads the whole file, and stores what to ask."""
    location, data = job.work.get("location"), job.work.get("upload")
    if location is None:
        await _download(job, data or "")
    else:
        limits, own = job.context.limits, job.account.blob_url
        file = job.folder / DATA
        await fetch_location(location, limits.location_hosts, own, file, limits.upload_bytes, LOCATION_SECONDS)
    limits = job.context.limits
    task = PlanTask(str(job.folder), job.work["input"], limits.load.entities, limits.load.unpacked_bytes)
    planned = PlannedItems(**await job.read(task))
    if location is not None:
        path = checkpoints.data_path(job.try_id)
        await job.account.blobs.upload_file(job.folder / DATA, path)
        data = str(path)
    groups = range(len(planned.groups))
    await run_all(
        (checkpoints.write_items(job.folder / items_file(group), job.try_id, group) for group in groups), IN_FLIGHT
    )
    await job.confirm()
    plan = Plan(data or "", job.try_id, planned.rows, planned.items, planned.groups)
    written = await checkpoints.write_plan(plan)
    if written != plan:
        (job.folder / DATA).unlink()  # the other attempt may have fetched another file
    return written


async def _end(
    job: RunningJob, plan: Plan, checkpoints: Checkpoints, answers: AnswersFile, given_up: str | None
) -> JobRecord:
    """Writes both outputs from the answers; rows without one are failed ones."""
    if not (job.folder / DATA).exists():
        await _download(job, plan.data)

    async def fetch(numbers: tuple[int, ...]) -> None:
        if answers.numbers.issuperset(numbers):
            return  # asked in this turn
        for number, found in (await checkpoints.read_answers(numbers)).items():
            answers.append(number, found)

    progress = await checkpoints.list_progress()
    await run_all((fetch(numbers) for numbers in progress.written), IN_FLIGHT)
    answers.flush()
    limits = job.context.limits.load
    await job.read(OutputTask(str(job.folder), job.work["input"], limits.entities, limits.unpacked_bytes, job.id))
    what = "geocoded: %s rows, %s of them failed, %s items asked in %s calls"
    log.info(what, job.processed, job.failed, plan.items, plan.chunks, extra={"row_key": job.id})
    job.failed_blob = await _upload(job, FAILED)
    if given_up is not None and job.failed == job.processed:
        return job.aborted(f"Nothing was geocoded. {given_up}.")
    return job.completed(output=await _upload(job, SUCCEEDED))


async def _upload(job: RunningJob, name: str) -> BlobPath | None:
    """The blob of an output; None where it has no rows."""
    file = job.folder / name
    if not file.stat().st_size:
        return None
    path = job.export_blob(f"{name}{'.xml' if job.work['input'] == 'xml' else '.txt'}")
    await job.account.blobs.upload_file(file, path)
    return path


async def _download(job: RunningJob, path: str) -> None:
    blob = BlobPath.parse(path)
    if blob is None or not await job.account.blobs.download_file(blob, job.folder / DATA):
        raise JobAbortedError(DATA_GONE)
