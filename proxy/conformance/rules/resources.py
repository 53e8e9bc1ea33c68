"""Section 3: what a job tells, but for its links."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from proxy.conformance import contract
from proxy.conformance.dates import XmlDateTime, documented_offset, read_json_date, read_xml_date
from proxy.conformance.exchange import AskedFormat, Purpose
from proxy.conformance.parsed import ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Rule, Skip
from proxy.conformance.rules.checks import JOBS, NO_JOB, STATUS, in_order, jobs, pairs, type_of

NO_SERVICE_JOB = "no publish, delete or access job in the list"
NO_ABORTED = "no Aborted job in the list"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CLOCKS = timedelta(seconds=10)  # by which those of two machines may differ
_DATES = ("createdDate", "completedDate")
_SAME = (*contract.COUNTS, "status", "id", "description", "errorMessage", "name")


def _is_service(job: ParsedJob) -> bool:
    return contract.resource_type(type_of(job)) == contract.SERVICE


def _type_first(job: ParsedJob) -> tuple[str, str]:
    return ", ".join(job.order), "" if job.order[:1] == ("__type",) else "__type should be first"


def _type_value(job: ParsedJob) -> tuple[str, str]:
    allowed = [f"{name}:{contract.BING}" for name in (contract.DATAFLOW, contract.SERVICE)]
    return job.shows("__type"), "" if job.type_text in allowed else f"it should be {allowed[0]}, or {allowed[1]}"


def _json_order(job: ParsedJob) -> tuple[str, str]:
    # The type alone has a rule of its own.
    return ", ".join(job.order), in_order((name for name in job.order if name != "__type"), contract.JOB_MEMBERS)


def _xml_order(job: ParsedJob) -> tuple[str, str] | None:
    names = [name for name in job.order if name != "Link"]
    return ", ".join(job.order), in_order(names, contract.JOB_ELEMENTS)


def _dataflow(job: ParsedJob) -> tuple[str, str] | None:
    if _is_service(job) or type_of(job) not in contract.KINDS:
        return None
    return job.resource_type, "" if job.resource_type == contract.DATAFLOW else "it should be DataflowJob"


def _service_in_list(job: ParsedJob) -> tuple[str, str] | None:
    if not _is_service(job):
        return None
    return job.resource_type, "" if job.resource_type == contract.SERVICE else "it should be DataServiceJob"


def _service_status_json(record: Recording) -> Iterator[Observation | Skip]:
    for job in record.jobs(Purpose.STATUS, form=AskedFormat.JSON):
        if _is_service(job):
            counted = [name for name in contract.COUNTS if name in job.values]
            shown = f"{job.resource_type} with {len(counted)} counts"
            if job.resource_type == contract.SERVICE and not counted:
                wrong = "DataServiceJob, as the documents have it; the contract has DataflowJob with its counts"
                yield Observation(job.exchange, shown, wrong, documented=True)
            else:
                sound = job.resource_type == contract.DATAFLOW and len(counted) == len(contract.COUNTS)
                yield Observation(job.exchange, shown, "" if sound else "it should be DataflowJob with its counts")


def _no_counts(job: ParsedJob) -> tuple[str, str] | None:
    if job.resource_type != contract.SERVICE:
        return None
    counted = [name for name in contract.COUNTS if name in job.values]
    return f"{job.resource_type}: {', '.join(job.order)}", f"{counted[0]} should be absent" if counted else ""


def _counts(job: ParsedJob) -> tuple[str, str] | None:
    if job.resource_type != contract.DATAFLOW:
        return None
    missing = [name for name in contract.COUNTS if name not in job.values]
    return job.shows(*contract.COUNTS), f"{missing[0]} is missing" if missing else ""


def _int32(job: ParsedJob) -> tuple[str, str] | None:
    found = {name: job.values[name] for name in contract.COUNTS if name in job.values}
    if not found:
        return None
    odd = [name for name, value in found.items() if not _is_count(value)]
    return job.shows(*found), f"{odd[0]} should be an int32" if odd else ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= contract.INT32_MAX


def _status(job: ParsedJob) -> tuple[str, str]:
    sound = job.status in contract.STATUSES
    return job.shows("status"), "" if sound else "it should be Pending, Completed or Aborted, in this letter case"


def _json_dates(job: ParsedJob) -> tuple[str, str]:
    found = [name for name in _DATES if name in job.values]
    odd = [name for name in ("createdDate", *found) if read_json_date(job.text(name)) is None]
    return job.shows(*found), f"{odd[0]} should be like Thu, 03 Jan 2013 23:22:15 GMT" if odd else ""


def _xml_moments(job: ParsedJob) -> list[XmlDateTime]:
    found = (read_xml_date(job.text(name)) for name in _DATES)
    return [each for each in found if each is not None]


def _xml_dates(job: ParsedJob) -> tuple[str, str]:
    found = [name for name in _DATES if name in job.values]
    odd = [name for name in ("createdDate", *found) if read_xml_date(job.text(name)) is None]
    return job.shows(*found), f"{odd[0]} should be like 2013-01-03T15:22:15.7979398-08:00" if odd else ""


def _zone(record: Recording) -> Iterator[Observation | Skip]:
    for job in record.jobs(*JOBS, form=AskedFormat.XML):
        found = _xml_moments(job)
        gaps = [each.offset - documented_offset(each.second) for each in found]
        is_near = len(found) > 1 and abs(found[0].second - found[1].second) < timedelta(days=1)
        if is_near and gaps[0] != gaps[1]:
            yield Observation(job.exchange, job.shows(*_DATES), "both should have the offset of one zone")
        elif any(gaps):
            yield Skip("dates have the offset of another zone than America/Los_Angeles, which is a setting")
        elif found:
            yield Observation(job.exchange, job.shows("createdDate"))


def _dates_agree(record: Recording) -> Iterator[Observation]:
    for in_json, in_xml in pairs(record, *STATUS, Purpose.LIST):
        for name in _DATES:
            one, other = read_json_date(in_json.text(name)), read_xml_date(in_xml.text(name))
            shown = f"{in_json.shows(name)} {in_xml.shows(name)}"
            if one is not None and other is not None:
                yield Observation(
                    in_xml.exchange, shown, "" if one == other.second else "both should be the same second"
                )
            elif bool(in_json.values.get(name)) is not bool(in_xml.values.get(name)):
                yield Observation(in_xml.exchange, shown, "one format has it and the other has not")


def _ends_later(job: ParsedJob) -> tuple[str, str] | None:
    read = read_json_date if job.exchange.ask.format is AskedFormat.JSON else _read_xml_second
    created, completed = (read(job.text(name)) for name in _DATES)
    if created is None or completed is None:
        return None
    return job.shows(*_DATES), "" if created <= completed + _CLOCKS else "it should not end before it was created"


def _read_xml_second(text: str | None) -> datetime | None:
    moment = read_xml_date(text)
    return None if moment is None else moment.second


def _pending_date(job: ParsedJob) -> tuple[str, str] | None:
    if job.status != "Pending":
        return None
    return job.shows("status", "completedDate"), "it should be absent" if job.values.get("completedDate") else ""


def _aborted_message(job: ParsedJob) -> tuple[str, str] | None:
    if job.status != "Aborted":
        shown = job.shows("status", "errorMessage")
        told = "errorMessage" in job.values and job.status in contract.STATUSES
        return (shown, "only an Aborted job has a message") if told else None
    return job.shows("errorMessage"), "" if job.text("errorMessage") else f"it should at least say {contract.ABORTED}"


def _list_alone(job: ParsedJob) -> tuple[str, str] | None:
    """What the documents show of loads and downloads; of the other kinds they show no status."""
    if contract.KINDS.get(type_of(job)) not in {contract.LOAD, contract.DOWNLOAD}:
        return None
    wrong = "description should be the user's own" if job.text("description") == type_of(job) else ""
    return job.shows("name", "description"), "name should be absent" if "name" in job.values else wrong


def _characters(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(*JOBS, form=AskedFormat.JSON):
        for name, value in job.values.items():
            if isinstance(value, str):
                wrong = "XML can't carry a character of it" if _NOT_IN_XML.search(value) else ""
                yield Observation(job.exchange, job.shows(name), wrong)


def _formats_agree(record: Recording) -> Iterator[Observation]:
    for in_json, in_xml in pairs(record, *STATUS):
        # A Pending job goes on between the two.
        uncounted = in_xml.resource_type == contract.SERVICE or in_xml.status == "Pending"
        names = [name for name in _SAME if not (uncounted and name in contract.COUNTS)]
        # XML turns a carriage return into a line end, and may lose an empty text.
        other = [name for name in names if _plain(in_json.values.get(name)) != _plain(in_xml.values.get(name))]
        wrong = f"{other[0]} should be the same as in JSON" if other else ""
        yield Observation(in_xml.exchange, in_xml.shows(*(other or ["id"])), wrong)


def _plain(value: object) -> object:
    return (value.replace("\r\n", "\n").replace("\r", "\n") or None) if isinstance(value, str) else value


def _one_job(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(*STATUS):
        if each.exchange.status == 200:  # noqa: PLR2004 - what else
            totals = [found.total for found in each.sets]
            sound = totals == [1] and len(each.jobs) == 1
            yield Observation(
                each.exchange,
                f"estimatedTotal {totals}, {len(each.jobs)} jobs",
                "" if sound else "one job should be told",
            )


RULES = (
    Rule("3.type-first", "__type is a job's first member.", jobs(_type_first, form=AskedFormat.JSON), NO_JOB),
    Rule(
        "3.type",
        "__type is exactly DataflowJob: or DataServiceJob: and the namespace.",
        jobs(_type_value, form=AskedFormat.JSON),
        NO_JOB,
    ),
    Rule(
        "3.json-order", "A job's JSON members stand in their order.", jobs(_json_order, form=AskedFormat.JSON), NO_JOB
    ),
    Rule("3.xml-order", "A job's XML elements stand in their order.", jobs(_xml_order, form=AskedFormat.XML), NO_JOB),
    Rule("3.one-job", "A status answer has one job.", _one_job, NO_JOB),
    Rule(
        "3.dataflow-job",
        "Geocode, load, rollback and download jobs are DataflowJobs.",
        jobs(_dataflow),
        "no such job in the list",
    ),
    Rule(
        "3.service-job",
        "Publish, delete and access jobs are DataServiceJobs in the list and in XML.",
        lambda record: [
            *jobs(_service_in_list, Purpose.LIST)(record),
            *jobs(_service_in_list, Purpose.STATUS, form=AskedFormat.XML)(record),
        ],
        NO_SERVICE_JOB,
    ),
    Rule(
        "3.service-status",
        "On $getstatus JSON has a DataflowJob with its counts.",
        _service_status_json,
        NO_SERVICE_JOB,
    ),
    Rule("3.no-counts", "A DataServiceJob has no counts.", jobs(_no_counts), NO_SERVICE_JOB),
    Rule("3.counts", "A DataflowJob has all its counts.", jobs(_counts), NO_JOB),
    Rule("3.int32", "Counts are int32.", jobs(_int32), NO_JOB),
    Rule("3.status", "status is Pending, Completed or Aborted, exactly.", jobs(_status), NO_JOB),
    Rule("3.json-dates", "JSON dates are RFC 1123, GMT.", jobs(_json_dates, form=AskedFormat.JSON), NO_JOB),
    Rule(
        "3.xml-dates",
        "XML dates are ISO 8601, up to seven fraction digits, trailing zeros trimmed, with an offset.",
        jobs(_xml_dates, form=AskedFormat.XML),
        NO_JOB,
    ),
    Rule("3.zone", "XML dates have the offset of America/Los_Angeles at that instant.", _zone, NO_JOB),
    Rule("3.dates-agree", "JSON and XML tell the same second.", _dates_agree, NO_JOB),
    Rule("3.ends-later", "A job ends after it was created.", jobs(_ends_later), "no job in the list has ended"),
    Rule("3.pending-date", "A Pending job has no completed date.", jobs(_pending_date), "no Pending job in the list"),
    Rule(
        "3.aborted-message",
        "An Aborted job has an error message, in the list too, and no other job has one.",
        jobs(_aborted_message),
        NO_ABORTED,
    ),
    Rule(
        "3.list-alone",
        "The status of a load or a download tells neither name nor job type.",
        jobs(_list_alone, *STATUS),
        "no load or download job was found",
    ),
    Rule("3.characters", "Texts have no character that XML can't carry.", _characters, NO_JOB),
    Rule("3.formats-agree", "JSON and XML tell the same of a job.", _formats_agree, NO_JOB),
)
