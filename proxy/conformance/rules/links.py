"""Section 3, "Links": which links a job has, in which order, and where they lead."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from proxy.conformance import contract
from proxy.conformance.exchange import ROOT, AskedFormat, Purpose
from proxy.conformance.parsed import ParsedJob, ParsedLink
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Rule, Skip
from proxy.conformance.rules.checks import JOBS, NO_JOB, STATUS, finds, jobs, pairs, parts_of, type_of

NO_LINK = "no job has a link"
NO_SERVICE = "no Completed load, rollback or access job links to its data source"
_IN_THE_CLEAR = (
    "asked by https, it links to http, where clients send their key in the clear; the base of links is a setting, and"
    " the documents have https"
)
_WHOLE = re.compile(r"https?://[^/?#]+(?:/[^?#]*[^/?#])?")
_SERVICES = (contract.DOCUMENTED_SERVICE, contract.SAMPLE_SERVICE)


def _named(job: ParsedJob) -> str:
    return "; ".join(f"{link.role} {link.name or ''}".rstrip() for link in job.links) or "no links"


def _known(job: ParsedJob) -> tuple[str, str] | None:
    odd = [link for link in job.links if link.called not in contract.LINKS]
    wrong = f"{odd[0].role} {odd[0].name} is no link of the contract" if odd else ""
    return (_named(job), wrong) if job.links else None


def _self_first(job: ParsedJob) -> tuple[str, str]:
    sound = job.links and job.links[0].called == contract.SELF
    return _named(job), "" if sound else "the first link should be self, without a name"


def _succeeded_second(job: ParsedJob) -> tuple[str, str] | None:
    places = [place for place, link in enumerate(job.links) if link.called == contract.SUCCEEDED]
    return (_named(job), "" if places == [1] else "the succeeded output should be second") if places else None


def _before_status(record: Recording) -> Iterator[Observation | Skip]:
    for job in record.jobs(*JOBS, form=AskedFormat.XML):
        if "Link" not in job.order:
            continue
        last = len(job.order) - job.order[::-1].index("Link") - 1
        late = "Status" in job.order and last > job.order.index("Status")
        if late and type_of(job) == contract.DOWNLOAD_JOB:
            wrong = "a link after Status, as the download page prints it; the contract has all before it"
            yield Observation(job.exchange, ", ".join(job.order), wrong, documented=True)
        else:
            yield Observation(
                job.exchange, ", ".join(job.order), "every Link should come before Status" if late else ""
            )


def _after_id(job: ParsedJob) -> tuple[str, str] | None:
    if "Link" not in job.order or "Id" not in job.order:
        return None
    wrong = "Id should come before every Link" if job.order.index("Id") > job.order.index("Link") else ""
    return ", ".join(job.order), wrong


def _json_members(job: ParsedJob) -> tuple[str, str] | None:
    wanted = {2: ("role", "url"), 3: contract.LINK_MEMBERS}
    odd = [link for link in job.links if link.members != wanted.get(len(link.members))]
    shown = "; ".join(", ".join(link.members) for link in (odd or job.links)[:1])
    return (shown, "the order should be name, role, url" if odd else "") if job.links else None


def _xml_attributes(job: ParsedJob) -> tuple[str, str] | None:
    odd = [link for link in job.links if link.members not in {("role",), ("role", "name")}]
    shown = "; ".join(", ".join(link.members) for link in (odd or job.links)[:1])
    return (shown, "role should come before name, and nothing else" if odd else "") if job.links else None


def _self_url(job: ParsedJob) -> tuple[str, str] | None:
    link = next((link for link in job.links if link.called == contract.SELF), None)
    kind, subject = contract.KINDS.get(type_of(job)), job.exchange.ask.subject
    if link is None or kind is None:
        return None
    references = {job.id} | ({subject.name} if subject and subject.name else set())
    wanted = {kind.self_path.format(reference).lower() for reference in references}
    tail = link.url.partition(ROOT)[2]
    is_written = tail.startswith(kind.self_path.partition("{}")[0])
    sound = is_written and unquote(tail).lower() in wanted
    return (
        link.url,
        "" if sound else f"it should be the base, {ROOT}{kind.self_path.format(quote(job.id, errors='replace'))}",
    )


def _only_completed(job: ParsedJob) -> tuple[str, str] | None:
    there = [link for link in job.links if link.called == contract.SUCCEEDED]
    wrong = "only a Completed job has this link" if there and job.status != "Completed" else ""
    return (f"{job.status}: {_named(job)}", wrong) if there or job.status != "Completed" else None


def _services(job: ParsedJob) -> list[ParsedLink]:
    return [link for link in job.links if link.called in _SERVICES]


def _service_when(job: ParsedJob) -> tuple[str, str] | None:
    kind = type_of(job)
    may = contract.KINDS.get(kind) in {contract.LOAD, contract.ROLLBACK} or kind == contract.ACCESS_JOB
    found = _services(job)
    wrong = (
        ""
        if not found or (may and job.status == "Completed")
        else "only a Completed load, rollback or access job has it"
    )
    return f"{kind}, {job.status}: {_named(job)}", wrong


def _service_there(record: Recording) -> Iterator[Observation | Skip]:
    linked = {job.id for job in record.jobs(*STATUS) if _services(job)}
    for job in record.jobs(*STATUS):
        kind = contract.KINDS.get(type_of(job))
        if job.status == "Completed" and kind in {contract.LOAD, contract.ROLLBACK}:
            if _services(job):
                yield Observation(job.exchange, _named(job))
            elif any(link.role.lower() == "datasource" for link in job.links):
                yield Observation(
                    job.exchange, _named(job), "role and name should be datasource or dataSource, and service"
                )
            elif job.id in linked:
                yield Observation(job.exchange, _named(job), "the other format has the link to the data source")
            else:
                yield Skip("a Completed load or rollback has no link: what is stored may not name its data source")


def _service_url(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(*JOBS):
        subject = job.exchange.ask.subject
        name = job.text("name") or (subject.name if subject else "")
        for link in _services(job):
            parts = link.url.partition(ROOT)[2].split("/")
            sound = len(parts) == 3 and parts[0] == "data" and all(parts)  # noqa: PLR2004 - data, access id, name
            if sound and name:
                sound = unquote(parts[2]).strip() == name.strip()
            yield Observation(
                job.exchange, link.url, "" if sound else f"it should be the base, {ROOT}data/, access id, data source"
            )


def _spellings(job: ParsedJob) -> tuple[str, str] | None:
    urls = {link.url for link in _services(job)}
    return (" ".join(urls), "both spellings should have one URL" if len(urls) > 1 else "") if urls else None


def _access_role(job: ParsedJob) -> tuple[str, str] | None:
    if type_of(job) != contract.ACCESS_JOB or not _services(job):
        return None
    roles = [link.called for link in _services(job)]
    return _named(job), "" if roles == [contract.SAMPLE_SERVICE] else "its one role should be dataSource"


def _bases(record: Recording) -> Iterator[Observation | Skip]:
    first = ""
    for job in record.jobs(*JOBS):
        for link in job.links:
            if not link.is_signed:
                base = link.url.partition(ROOT)[0]
                first = first or base
                wrong = "" if base == first else f"all should begin with {first}"
                if not _WHOLE.fullmatch(base):
                    wrong = f"it should be a whole URL: http or https, the host, {ROOT}"
                yield Observation(job.exchange, link.url, wrong)
                if record.scheme == "https" and base.startswith("http:"):
                    yield Skip(_IN_THE_CLEAR)


def _not_from_host(record: Recording) -> Iterator[Observation | Skip]:
    asked = {each.ask.purpose: each for each in record.of(Purpose.LIST_OTHER_HOST)}
    hosts = {parts_of(link.url).netloc for job in record.listed() for link in job.links if not link.is_signed}
    for exchange in asked.values():
        other = dict(exchange.ask.headers)["Host"]
        for job in record.jobs(Purpose.LIST_OTHER_HOST):
            for link in job.links:
                if not link.is_signed:
                    follows = other in link.url and other not in hosts
                    yield Observation(exchange, link.url, f"it follows the Host {other}" if follows else "")


def _formats_agree(record: Recording) -> Iterator[Observation]:
    for in_json, in_xml in pairs(record, *STATUS, Purpose.LIST):
        one, other = (
            [(*link.called, "" if link.is_signed else link.url) for link in job.links] for job in (in_json, in_xml)
        )
        if one or other:
            yield Observation(in_xml.exchange, _named(in_xml), "" if one == other else f"JSON has {_named(in_json)}")


RULES = (
    Rule("3.roles", "Roles and names of links are written exactly.", jobs(_known), NO_LINK),
    Rule("3.self-first", "A status answer's first link is self, without a name.", jobs(_self_first, *STATUS), NO_JOB),
    Rule(
        "3.succeeded-second",
        "The succeeded output is the second link.",
        jobs(_succeeded_second),
        "no job has a succeeded output",
    ),
    Rule("3.links-before-status", "Every Link comes before Status.", _before_status, NO_LINK),
    Rule("3.links-after-id", "Every Link comes after Id.", jobs(_after_id, form=AskedFormat.XML), NO_LINK),
    Rule(
        "3.link-members",
        "A link's JSON members are name, role, url.",
        jobs(_json_members, form=AskedFormat.JSON),
        NO_LINK,
    ),
    Rule("3.link-attributes", "On Link, role comes before name.", jobs(_xml_attributes, form=AskedFormat.XML), NO_LINK),
    Rule("3.self-url", "The self link is the job's status URL, in its documented casing.", jobs(_self_url), NO_LINK),
    Rule("3.self-leads-back", "The self link leads to the job.", finds(Purpose.STATUS_SELF), NO_JOB),
    Rule("3.succeeded-when", "Only a Completed job links to its output.", jobs(_only_completed), NO_JOB),
    Rule(
        "3.service-when",
        "Only a Completed load, rollback or access job links to its data source.",
        jobs(_service_when),
        NO_JOB,
    ),
    Rule(
        "3.service-there",
        "The status of a Completed load or rollback links to its data source.",
        _service_there,
        "no Completed load or rollback job in the list",
    ),
    Rule("3.service-url", "That link is data/{accessId}/{dataSourceName}.", _service_url, NO_SERVICE),
    Rule("3.spellings", "Both spellings of its role have the same URL.", jobs(_spellings), NO_SERVICE),
    Rule(
        "3.access-role",
        "An access job's role is dataSource.",
        jobs(_access_role),
        "no Completed access job in the list",
    ),
    Rule("3.base", "Links to the service are whole URLs with one base.", _bases, NO_LINK),
    Rule(
        "3.base-not-host",
        "The base is not taken from the Host header.",
        _not_from_host,
        "no other form of the Host can be asked for safely, or no job of the list has a link",
    ),
    Rule("3.links-agree", "JSON and XML have the same links.", _formats_agree, NO_LINK),
)
