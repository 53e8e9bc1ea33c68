"""Job status, job list and job output: each reads from top to bottom what is asked for, for whom, and what is said."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.exports import UNLIMITED, Signer
from adapters.properties import MalformedRowError
from adapters.records import JobRecord
from adapters.remembered import Reading
from adapters.ticks import from_datetime
from proxy.answers import Found, Redirect
from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.job_types import JOB_TYPES, Kind, is_of_kind
from proxy.bing.links import LinkStyle, outputs
from proxy.bing.request import Call, is_data_source_name
from proxy.bing.translate import error_message, listed, status_answer
from proxy.keyring import Grant
from proxy.routes.caller import Caller, depends_on_job


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job, and what leads back to it: its data source's name where it was asked for by name, else its id."""

    reading: Reading[JobRecord]
    reference: str

    @property
    def record(self) -> JobRecord:
        """The job's record."""
        return self.reading.value


async def job_status(call: Call, caller: Caller) -> Found:
    """The status of one job (get-load-data-source-status, get-download-data-source-job-status)."""
    found = await _find(call, caller)
    style = await _link_style(caller, [found.record])
    # The envelope repeats an aborted job's message, because one client shows nothing else.
    message = error_message(found.record)
    return Found(
        lambda: (status_answer(found.record, found.reference, style, caller.answer),),
        found.reading,
        lambda: _links_until(style),
        error_details=() if message is None else (message,),
    )


async def job_list(_call: Call, caller: Caller) -> Found:
    """The jobs of the last days (get-job-list); a restricted key sees its own data sources' only, no geocode jobs."""
    since = datetime.now(UTC) - timedelta(days=caller.settings.job_window_days)
    reading = await caller.account.remembered.created_since(from_datetime(since))
    seen = [record for record in reading.value if _sees(caller.grant, record)]
    style = await _link_style(caller, seen)
    return Found(lambda: listed(seen, style), reading, lambda: _links_until(style), len(seen))


async def job_output(call: Call, caller: Caller) -> Redirect:
    """Where a job's output lies: a signed link, made for this request."""
    found = await (_find_geocode(call, caller) if depends_on_job(call, caller.grant) else _find(call, caller))
    blob = outputs(found.record).get(call.output)
    if blob is None:
        raise WireError(ErrorCode.NO_SUCH_OUTPUT)
    sign = await caller.account.links.signer()
    return Redirect(sign(blob))


async def _find(call: Call, caller: Caller) -> FoundJob:
    if call.kind is Kind.DOWNLOAD:
        return await _find_download(call.reference, caller)
    reading = await caller.account.remembered.job(call.reference)
    if reading is None or not is_of_kind(reading.value.job_type, call.kind):
        raise WireError(ErrorCode.NO_SUCH_JOB)
    if not _sees(caller.grant, reading.value):
        raise WireError(ErrorCode.OTHER_DATA_SOURCE)
    return FoundJob(reading, reading.value.shown_id)


async def _find_geocode(call: Call, caller: Caller) -> FoundJob:
    """A geocode job, for a query key: it learns of no other job, not even by a row that can't be read."""
    try:
        reading = await caller.account.remembered.job(call.reference)
    except MalformedRowError:
        reading = None
    if reading is None or not is_of_kind(reading.value.job_type, Kind.GEOCODE):
        raise WireError(ErrorCode.MASTER_KEY_NEEDED)
    caller.query.check()
    return FoundJob(reading, reading.value.shown_id)


def _sees(grant: Grant, record: JobRecord) -> bool:
    """Whether the key may see a job: a restricted one sees those of its data sources, and geocode jobs have none."""
    return not grant.is_restricted or (JOB_TYPES[record.job_type].has_name and grant.allows(record.data_source_name))


async def _find_download(reference: str, caller: Caller) -> FoundJob:
    """A download job by its data source's name, or else by its id.

    A key that is not for the data source of this name is told so whether it exists or not.
    """
    grant, jobs = caller.grant, caller.account.remembered
    is_name = is_data_source_name(reference)
    reading = await jobs.newest_download(reference) if is_name and grant.allows(reference) else None
    if reading is not None and is_of_kind(reading.value.job_type, Kind.DOWNLOAD):
        name = reading.value.data_source_name or reference
        if name.lower() == reference.lower():  # else the alias is wrong, and the job may be another key's
            return FoundJob(reading, name)
    reading = await jobs.job(reference)
    if reading is not None and is_of_kind(reading.value.job_type, Kind.DOWNLOAD):
        record = reading.value
        if grant.allows(record.data_source_name):
            return FoundJob(reading, record.shown_id)
    if not grant.allows(reference):
        raise WireError(ErrorCode.OTHER_DATA_SOURCE)
    raise WireError(ErrorCode.NO_SUCH_JOB if is_name else ErrorCode.BAD_DATA_SOURCE_NAME)


def _links_until(style: LinkStyle) -> float:
    """How long the links of an answer may be given again: while each has at least half of its life."""
    if not isinstance(style.sign, Signer) or style.sign.until == UNLIMITED:
        return float("inf")
    return time.monotonic() + (style.sign.until - datetime.now(UTC)).total_seconds()


async def _link_style(caller: Caller, records: Iterable[JobRecord]) -> LinkStyle:
    settings = caller.settings
    signs = settings.output_links == "sas" and any(map(outputs, records))
    return LinkStyle(
        base=caller.base,
        roles=settings.datasource_roles,
        suffix=settings.sas_suffix,
        sign=await caller.account.links.signer() if signs else None,
    )
