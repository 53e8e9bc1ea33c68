"""Job status, job list and job output: each reads from top to bottom what is asked for, for whom, and what is said."""

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
from proxy.wire.job_types import JOB_TYPES, StatusPath, is_of_kind
from proxy.wire.links import LinkOptions, job_outputs
from proxy.wire.request import ApiCall, is_data_source_name


@dataclass(frozen=True, slots=True)
class ResolvedJob:
    """A job, and what leads back to it: its data source's name where it was asked for by name, else its id."""

    cache_entry: CacheEntry[JobRecord]
    reference: str

    @property
    def record(self) -> JobRecord:
        """The job's record."""
        return self.cache_entry.value


async def job_status(call: ApiCall, caller: CallContext) -> JobsResult:
    """The status of one job (get-load-data-source-status, get-download-data-source-job-status)."""
    found = await _find(call, caller)
    style = await _link_style(caller, [found.record])
    # The envelope repeats an aborted job's message, because one client shows nothing else.
    message = error_message(found.record)
    return JobsResult(
        lambda: (job_status_resource(found.record, found.reference, style, caller.format),),
        found.cache_entry,
        lambda: _links_until(style),
        error_details=() if message is None else (message,),
    )


async def job_list(_call: ApiCall, caller: CallContext) -> JobsResult:
    """The jobs of the last days (get-job-list); a restricted key sees its own data sources' only, no geocode jobs."""
    since = datetime.now(UTC) - timedelta(days=caller.settings.job_window_days)
    reading = await caller.account.job_cache.created_since(from_datetime(since))
    seen = [record for record in reading.value if _sees(caller.grant, record)]
    style = await _link_style(caller, seen)
    return JobsResult(lambda: job_list_resources(seen, style), reading, lambda: _links_until(style), len(seen))


async def job_output(call: ApiCall, caller: CallContext) -> Redirect:
    """Where a job's output lies: a signed link, made for this request."""
    found = await (_find_geocode(call, caller) if depends_on_job(call, caller.grant) else _find(call, caller))
    blob = job_outputs(found.record).get(call.output)
    if blob is None:
        raise ApiError(ErrorCode.NO_SUCH_OUTPUT)
    sign = await caller.account.links.signer()
    return Redirect(sign(blob))


async def _find(call: ApiCall, caller: CallContext) -> ResolvedJob:
    if call.kind is StatusPath.DOWNLOAD:
        return await _find_download(call.reference, caller)
    reading = await caller.account.job_cache.job(call.reference)
    if reading is None or not is_of_kind(reading.value.job_type, call.kind):
        raise ApiError(ErrorCode.NO_SUCH_JOB)
    if not _sees(caller.grant, reading.value):
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    return ResolvedJob(reading, reading.value.public_id)


async def _find_geocode(call: ApiCall, caller: CallContext) -> ResolvedJob:
    """A geocode job, for a query key: it learns of no other job, not even by a row that can't be read."""
    try:
        reading = await caller.account.job_cache.job(call.reference)
    except MalformedRowError:
        reading = None
    if reading is None or not is_of_kind(reading.value.job_type, StatusPath.GEOCODE):
        raise ApiError(ErrorCode.MASTER_KEY_NEEDED)
    caller.query.check()
    return ResolvedJob(reading, reading.value.public_id)


def _sees(grant: KeyGrant, record: JobRecord) -> bool:
    """Whether the key may see a job: a restricted one sees those of its data sources, and geocode jobs have none."""
    return not grant.is_restricted or (JOB_TYPES[record.job_type].has_name and grant.allows(record.data_source_name))


async def _find_download(reference: str, caller: CallContext) -> ResolvedJob:
    """A download job by its data source's name, or else by its id.

    A key that is not for the data source of this name is told so whether it exists or not.
    """
    grant, jobs = caller.grant, caller.account.job_cache
    is_name = is_data_source_name(reference)
    reading = await jobs.newest_download(reference) if is_name and grant.allows(reference) else None
    if reading is not None and is_of_kind(reading.value.job_type, StatusPath.DOWNLOAD):
        name = reading.value.data_source_name or reference
        if name.lower() == reference.lower():  # else the alias is wrong, and the job may be another key's
            return ResolvedJob(reading, name)
    reading = await jobs.job(reference)
    if reading is not None and is_of_kind(reading.value.job_type, StatusPath.DOWNLOAD):
        record = reading.value
        if grant.allows(record.data_source_name):
            return ResolvedJob(reading, record.public_id)
    if not grant.allows(reference):
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    raise ApiError(ErrorCode.NO_SUCH_JOB if is_name else ErrorCode.BAD_DATA_SOURCE_NAME)


def _links_until(style: LinkOptions) -> float:
    """How long the links of an answer may be given again: while each has at least half of its life."""
    if not isinstance(style.sign, SasSigner) or style.sign.until == UNLIMITED:
        return float("inf")
    return time.monotonic() + (style.sign.until - datetime.now(UTC)).total_seconds()


async def _link_style(caller: CallContext, records: Iterable[JobRecord]) -> LinkOptions:
    settings = caller.settings
    signs = settings.output_links == "sas" and any(map(job_outputs, records))
    return LinkOptions(
        base=caller.base,
        roles=settings.datasource_roles,
        suffix=settings.sas_suffix,
        sign=await caller.account.links.signer() if signs else None,
    )
