"""Creates a geocode job: from the request's parameters to the data in Blob Storage and a job in the queue."""

from pathlib import PurePosixPath

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from proxy.api.context import CallContext
from proxy.api.handlers.job_data import create_with_data
from proxy.operations.job_creation import Payload, create_job, enforce_quotas, now, recent_jobs
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import GeocodeRequest, parse_geocode_request
from proxy.wire.request import ApiCall


async def create_geocode(_call: ApiCall, context: CallContext) -> CreatedJob:
    """Checks the request, stores its data, creates the job (geocode.md, section 1).

    What is wrong with the file itself shows when a worker reads it: the job is Aborted then.
    """
    if not context.account.has_maps:
        raise ApiError(ErrorCode.NO_MAPS)
    request = parse_geocode_request(context.query)

    async def check(uploads: int) -> None:
        enforce_quotas(await recent_jobs(context.account), context.settings, uploads)

    return await create_with_data(request.location, context, check, lambda upload: _create(request, upload, context))


async def _create(request: GeocodeRequest, upload: BlobPath | None, context: CallContext) -> CreatedJob:
    async def plan() -> tuple[JobRecord, Payload]:
        # Others may have created jobs during the upload.
        uploads = 0 if upload is not None else context.uploads.count(context.account.name)
        enforce_quotas(await recent_jobs(context.account), context.settings, uploads)
        record = JobRecord(
            # An upload has its job's id as its name. Any other id has to sort behind the jobs that were just read.
            row_key=context.account.jobs.ids.next(now()) if upload is None else PurePosixPath(upload.name).name,
            job_type=JobType.GEOCODE,
            status=JobStatus.PENDING,
            created=now(),
            description=request.description,
        )
        place = {"location": request.location} if upload is None else {"upload": str(upload)}
        return record, {"input": request.input, **place}

    record = await create_job(context.account, plan, context.shielded_tasks.start, upload)
    return create_response(record, context.base, context.key)
