"""Job status, job list and job output."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.blobs.sas_links import UNLIMITED, SasSigner
from adapters.job_cache import CacheEntry
from adapters.model.jobs import JobRecord
from adapters.model.ticks import from_datetime
from adapters.tables.properties import MalformedRowError
from proxy.api.context import CallContext, depends_on_job
from proxy.api.responses import JobsResult, Redirect
from proxy.keyring.keyring import KeyGrant
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.job_resources import error_message, job_list_resources, job_status_resource
from proxy.wire.job_types import JOB_TYPES, StatusPath, is_served_at
from proxy.wire.links import LinkOptions, list_outputs
from proxy.wire.request import ApiCall, is_data_source_name


@dataclass(frozen=True, slots=True)
class ResolvedJob:
    """A job, and the reference in its self link: the data source's name where it was requested by name, else its id."""

    entry: CacheEntry[JobRecord]
    reference: str


async def job_status(call: ApiCall, context: CallContext) -> JobsResult:
    """The status of one job (get-load-data-source-status, get-download-data-source-job-status)."""
    job = await _find(call, context)
    record = job.entry.value
    options = await _build_link_options(context, [record])
    # The envelope repeats an aborted job's message, because one client shows nothing else.
    message = error_message(record)
    return JobsResult(
        lambda: (job_status_resource(record, job.reference, options, context.format),),
        job.entry,
        lambda: _links_until(options),
        error_details=() if message is None else (message,),
    )


async def job_list(_call: ApiCall, context: CallContext) -> JobsResult:
    """The jobs of the last days (get-job-list). A restricted key sees those of its own data sources only."""
    since = datetime.now(UTC) - timedelta(days=context.settings.job_window_days)
    entry = await context.account.job_cache.list_created_since(from_datetime(since))
    records = [record for record in entry.value if _may_see(context.grant, record)]
    options = await _build_link_options(context, records)
    return JobsResult(lambda: job_list_resources(records, options), entry, lambda: _links_until(options), len(records))


async def job_output(call: ApiCall, context: CallContext) -> Redirect:
    """Redirects to a job's output, by a signed link for this request."""
    job = await (_find_geocode(call, context) if depends_on_job(call, context.grant) else _find(call, context))
    blob = list_outputs(job.entry.value).get(call.output)
    if blob is None:
        raise ApiError(ErrorCode.NO_SUCH_OUTPUT)
    sign = await context.account.links.signer()
    return Redirect(sign(blob))


async def _find(call: ApiCall, context: CallContext) -> ResolvedJob:
    if call.status_path is StatusPath.DOWNLOAD:
        return await _find_download(call.reference, context)
    entry = await _get(call.reference, call.status_path, context)
    if entry is None:
        raise ApiError(ErrorCode.NO_SUCH_JOB)
    if not _may_see(context.grant, entry.value):
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    return ResolvedJob(entry, entry.value.public_id)


async def _find_geocode(call: ApiCall, context: CallContext) -> ResolvedJob:
    """Finds a geocode job for a query key, which learns of no other job, not even by a malformed row."""
    try:
        entry = await _get(call.reference, StatusPath.GEOCODE, context)
    except MalformedRowError:
        entry = None
    if entry is None:
        raise ApiError(ErrorCode.MASTER_KEY_NEEDED)
    context.query.check()
    return ResolvedJob(entry, entry.value.public_id)


async def _find_download(reference: str, context: CallContext) -> ResolvedJob:
    """Finds a download job by its data source's name, or else by its id.

    A key that is not for the data source of this name gets the same error whether the data source exists or not.
    """
    grant = context.grant
    is_name = is_data_source_name(reference)
    if is_name and grant.allows(reference):
        entry = await context.account.job_cache.get_newest_download(reference)
        if entry is not None and is_served_at(entry.value.job_type, StatusPath.DOWNLOAD):
            name = entry.value.data_source_name or reference
            if name.lower() == reference.lower():  # else the alias is wrong, and the job may be another key's
                return ResolvedJob(entry, name)
    entry = await _get(reference, StatusPath.DOWNLOAD, context)
    if entry is not None and grant.allows(entry.value.data_source_name):
        return ResolvedJob(entry, entry.value.public_id)
    if not grant.allows(reference):
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    raise ApiError(ErrorCode.NO_SUCH_JOB if is_name else ErrorCode.BAD_DATA_SOURCE_NAME)


async def _get(reference: str, path: StatusPath, context: CallContext) -> CacheEntry[JobRecord] | None:
    entry = await context.account.job_cache.get_job(reference)
    return entry if entry is not None and is_served_at(entry.value.job_type, path) else None


def _may_see(grant: KeyGrant, record: JobRecord) -> bool:
    """Whether the key may see a job. Geocode jobs have no data source, so a restricted key sees none."""
    return not grant.is_restricted or (JOB_TYPES[record.job_type].has_name and grant.allows(record.data_source_name))


def _links_until(options: LinkOptions) -> float:
    """Until when a response may be repeated, by the monotonic clock: its links keep at least half of their life."""
    if not isinstance(options.sign, SasSigner) or options.sign.until == UNLIMITED:
        return float("inf")
    return time.monotonic() + (options.sign.until - datetime.now(UTC)).total_seconds()


async def _build_link_options(context: CallContext, records: Iterable[JobRecord]) -> LinkOptions:
    settings = context.settings
    signs = settings.output_links == "sas" and any(map(list_outputs, records))
    sign = await context.account.links.signer() if signs else None
    return LinkOptions(context.base, settings.datasource_roles, settings.sas_suffix, sign)
