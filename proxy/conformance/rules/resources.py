"""Section 3: what a job has, except its links."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from proxy.comparison.dates import read_json_date, read_xml_date
from proxy.conformance import contract
from proxy.conformance.contract import COUNTS, DATAFLOW, DATES, JOB_ORDER, JSON, SERVICE, XML
from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Documented, Observation, Skip, rule
from proxy.conformance.rules.checks import JOBS, OK, STATUS, envelopes, jobs, order_fault, pairs, whole

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CLOCK_SKEW = timedelta(seconds=10)
_TYPES = [f"{name}:{contract.BING}" for name in (DATAFLOW, SERVICE)]

rule("3.type-first", "__type is a job's first member.", jobs("order", form=JSON))(
    lambda job: job.order[:1] == ("__type",)
)
rule("3.type", "__type is exactly DataflowJob: or DataServiceJob: and the namespace.", jobs("__type", form=JSON))(
    lambda job: "" if job.type_text in _TYPES else f"it should be {_TYPES[0]}, or {_TYPES[1]}"
)
# The position of the type and those of links have rules of their own.
rule("3.json-order", "A job's JSON members stand in their order.", jobs("order", form=JSON))(
    lambda job: order_fault((name for name in job.order if name != "__type"), JOB_ORDER[JSON])
)
rule("3.xml-order", "A job's XML elements stand in their order.", jobs("order", form=XML))(
    lambda job: order_fault((name for name in job.order if name != "Link"), JOB_ORDER[XML])
)


@rule("3.one-job", "A status answer has one job.", envelopes("sets", among=STATUS))
def _one_job(envelope: ParsedEnvelope) -> bool | None:
    is_right = [each.total for each in envelope.sets] == [1] and len(envelope.jobs) == 1
    return is_right if envelope.exchange.status == OK else None


@rule("3.dataflow-job", "Geocode, load, rollback and download jobs are DataflowJobs.", jobs("resource_type"))
def _dataflow_job(job: ParsedJob) -> bool | None:
    return None if job.is_service or job.status_path is None else job.resource_type == DATAFLOW


@rule(
    "3.service-job",
    "Publish, delete and access jobs are DataServiceJobs in the list and in XML.",
    jobs("resource_type", among=(Purpose.LIST, Purpose.STATUS)),
)
def _service_job(job: ParsedJob) -> bool | None:
    is_json_status = job.requested is not None and job.exchange.request.format is JSON
    return job.resource_type == SERVICE if job.is_service and not is_json_status else None


def _counts(job: ParsedJob) -> list[str]:
    return [name for name in COUNTS if name in job.values]


@rule(
    "3.service-status",
    "On $getstatus JSON has a DataflowJob with its counts.",
    jobs("resource_type", "order", among=(Purpose.STATUS,), form=JSON),
)
def _service_status(job: ParsedJob) -> str | bool | None:
    if not job.is_service:
        return None
    if job.resource_type == SERVICE and not _counts(job):
        return Documented("DataServiceJob, as the documents have it; the contract has DataflowJob with its counts")
    return job.resource_type == DATAFLOW and len(_counts(job)) == len(COUNTS)


rule("3.no-counts", "A DataServiceJob has no counts.", jobs("resource_type", "order"))(
    lambda job: not _counts(job) if job.resource_type == SERVICE else None
)
rule("3.counts", "A DataflowJob has all its counts.", jobs(*COUNTS))(
    lambda job: len(_counts(job)) == len(COUNTS) if job.resource_type == DATAFLOW else None
)


@rule("3.int32", "Counts are int32.", jobs(*COUNTS))
def _int32(job: ParsedJob) -> bool | None:
    values = [job.values[name] for name in _counts(job)]
    return all(type(value) is int and 0 <= value <= contract.INT32_MAX for value in values) if values else None


rule("3.status", "status is Pending, Completed or Aborted, exactly.", jobs("status"))(
    lambda job: job.status in contract.STATUSES
)


def _dates(job: ParsedJob) -> list[datetime | None]:
    """The whole seconds of both dates in UTC; None where there is none that can be read."""
    if job.exchange.request.format is JSON:
        return [read_json_date(job.text(name)) for name in DATES]
    moments = [read_xml_date(job.text(name)) for name in DATES]
    return [None if moment is None else moment.second for moment in moments]


def _are_dates_right(job: ParsedJob) -> bool:
    created, completed = _dates(job)
    return created is not None and (completed is not None or "completedDate" not in job.values)


rule("3.json-dates", "JSON dates are RFC 1123, GMT.", jobs(*DATES, form=JSON))(_are_dates_right)
rule(
    "3.xml-dates",
    "XML dates are ISO 8601, up to seven fraction digits, trailing zeros trimmed, with an offset.",
    jobs(*DATES, form=XML),
)(_are_dates_right)


@rule("3.zone", "XML dates have the offset of America/Los_Angeles at that instant.", jobs(*DATES, form=XML))
def _zone(job: ParsedJob) -> str | Skip | None:
    moments = [moment for name in DATES if (moment := read_xml_date(job.text(name))) is not None]
    gaps = {moment.offset - moment.documented_offset for moment in moments}
    is_near = bool(moments) and abs(moments[0].second - moments[-1].second) < timedelta(days=1)
    if len(gaps) > 1 and is_near:
        return "both should have the offset of one zone"
    if any(gaps):
        return Skip("dates have the offset of another zone than America/Los_Angeles, which is a setting")
    return "" if moments else None


@rule("3.dates-agree", "JSON and XML have the same second.", whole)
def _dates_agree(recording: Recording) -> Iterator[Observation]:
    for in_json, in_xml in pairs(recording, *STATUS, Purpose.LIST):
        for name, one, other in zip(DATES, _dates(in_json), _dates(in_xml), strict=True):
            shows = f"{in_json.show(name)} {in_xml.show(name)}"
            if one is not None and other is not None:
                yield Observation(in_xml.exchange, shows, "" if one == other else "both should be the same second")
            elif bool(in_json.values.get(name)) is not bool(in_xml.values.get(name)):
                yield Observation(in_xml.exchange, shows, "only one format has it")


@rule("3.ends-later", "A job ends after it was created.", jobs(*DATES))
def _ends_later(job: ParsedJob) -> bool | None:
    created, completed = _dates(job)
    return None if created is None or completed is None else created <= completed + _CLOCK_SKEW


rule("3.pending-date", "A Pending job has no completed date.", jobs("status", *DATES))(
    lambda job: not job.values.get("completedDate") if job.status == "Pending" else None
)


@rule(
    "3.aborted-message",
    "An Aborted job has an error message, in the list too, and no other job has one.",
    jobs("status", "errorMessage"),
)
def _aborted_message(job: ParsedJob) -> str | None:
    if job.status == "Aborted":
        return "" if job.text("errorMessage") else f"it should at least say {contract.ABORTED}"
    has_message = "errorMessage" in job.values and job.status in contract.STATUSES
    return "only an Aborted job has a message" if has_message else None


@rule(
    "3.list-alone",
    "The status of a load or a download has neither name nor job type.",
    jobs("name", "description", among=STATUS),
)
def _list_alone(job: ParsedJob) -> bool | None:
    is_shown = "name" in job.values or job.text("description") == job.job_type
    return not is_shown if job.status_path in {contract.LOAD, contract.DOWNLOAD} else None


@rule("3.characters", "Texts have no character that XML can't carry.", whole)
def _characters(recording: Recording) -> Iterator[Observation]:
    for job in recording.jobs(*JOBS, form=JSON):
        for name, value in job.values.items():
            if isinstance(value, str):
                wrong = "XML can't carry one of its characters" if _NOT_IN_XML.search(value) else ""
                yield Observation(job.exchange, job.show(name), wrong)


@rule("3.formats-agree", "JSON and XML agree about a job.", whole)
def _formats_agree(recording: Recording) -> Iterator[Observation]:
    for in_json, in_xml in pairs(recording, *STATUS):
        names: tuple[str, ...] = ("status", "id", "description", "errorMessage", "name")
        # The counts of a Pending job grow between both answers.
        if in_xml.resource_type != SERVICE and in_xml.status != "Pending":
            names += COUNTS
        odd = [name for name in names if _plain(in_json.values.get(name)) != _plain(in_xml.values.get(name))]
        wrong = f"{odd[0]} should be the same as in JSON" if odd else ""
        yield Observation(in_xml.exchange, in_xml.show(*(odd or ["id"])), wrong)


def _plain(value: object) -> object:
    """A value without what XML changes: it turns carriage returns into line ends, and may drop an empty text."""
    return (value.replace("\r\n", "\n").replace("\r", "\n") or None) if isinstance(value, str) else value
