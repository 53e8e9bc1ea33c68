"""Section 3, "Links": which links a job has, in which order, and where they lead."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from proxy.conformance import contract
from proxy.conformance.contract import JSON, ROOT, XML
from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed import ParsedJob, ParsedLink, split_url
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Documented, Observation, Skip, rule
from proxy.conformance.rules.checks import JOBS, STATUS, add, finds, jobs, pairs, whole

_PLAIN_HTTP = (
    "over https it links to http, where clients send their key in plaintext; the base of links is a setting, and"
    " the documents have https"
)
_WHOLE = re.compile(r"https?://[^/?#]+(?:/[^?#]*[^/?#])?")


@rule("3.roles", "Roles and names of links are written exactly.", jobs("links"))
def _roles(job: ParsedJob) -> str | None:
    odd = [link for link in job.links if link.relation not in contract.LINKS]
    wrong = f"{odd[0].role} {odd[0].name} is no link of the contract" if odd else ""
    return wrong if job.links else None


rule("3.self-first", "A status answer's first link is self, without a name.", jobs("links", among=STATUS))(
    lambda job: job.relations[:1] == [contract.SELF]
)


@rule("3.succeeded-second", "The succeeded output is the second link.", jobs("links"))
def _succeeded_second(job: ParsedJob) -> bool | None:
    positions = [position for position, each in enumerate(job.relations) if each == contract.SUCCEEDED]
    return positions == [1] if positions else None


@rule("3.links-before-status", "Every Link comes before Status.", jobs("order", form=XML))
def _links_before_status(job: ParsedJob) -> str | bool | None:
    if "Link" not in job.order:
        return None
    is_right = "Status" not in job.order or "Link" not in job.order[job.order.index("Status") :]
    if not is_right and job.job_type == contract.DOWNLOAD_JOB:
        return Documented("a link after Status, as the download page prints it; the contract has all before it")
    return is_right


rule("3.links-after-id", "Every Link comes after Id.", jobs("order", form=XML))(
    lambda job: job.order.index("Id") < job.order.index("Link") if {"Id", "Link"} <= {*job.order} else None
)


def _have_members(job: ParsedJob, *allowed: tuple[str, ...]) -> str | None:
    odd = [link.members for link in job.links if link.members not in allowed]
    return (f"a link has {', '.join(odd[0])}" if odd else "") if job.links else None


rule("3.link-members", "A link's JSON members are name, role, url.", jobs("links", form=JSON))(
    lambda job: _have_members(job, ("role", "url"), ("name", "role", "url"))
)
rule("3.link-attributes", "On Link, role comes before name.", jobs("links", form=XML))(
    lambda job: _have_members(job, ("role",), ("role", "name"))
)


@rule("3.self-url", "The self link is the job's status URL, in its documented casing.", jobs("self"))
def _self_url(job: ParsedJob) -> str | None:
    link = next((link for link in job.links if link.relation == contract.SELF), None)
    if link is None or job.status_path is None:
        return None
    self_path = job.status_path.self_path
    references = {job.id} | ({job.requested.name} if job.requested and job.requested.name else set())
    is_right = link.tail.startswith(self_path.partition("{}")[0])
    is_right = is_right and unquote(link.tail).lower() in {self_path.format(each).lower() for each in references}
    return "" if is_right else f"it should be the base, {ROOT}{self_path.format(quote(job.id, errors='replace'))}"


add("3.self-leads-back", "The self link leads to the job.", finds(Purpose.STATUS_SELF))


@rule("3.succeeded-when", "Only a Completed job links to its output.", jobs("status", "links"))
def _succeeded_when(job: ParsedJob) -> bool | None:
    is_linked, is_completed = contract.SUCCEEDED in job.relations, job.status == "Completed"
    return is_completed or not is_linked if is_linked or not is_completed else None


def _services(job: ParsedJob) -> list[ParsedLink]:
    return [link for link in job.links if link.relation in contract.SERVICES]


@rule(
    "3.service-when", "Only a Completed load, rollback or access job links to its data source.", jobs("status", "links")
)
def _service_when(job: ParsedJob) -> bool:
    may = job.status_path in {contract.LOAD, contract.ROLLBACK} or job.job_type == contract.ACCESS_JOB
    return not _services(job) or (may and job.status == "Completed")


@rule("3.service-there", "The status of a Completed load or rollback links to its data source.", whole)
def _service_there(recording: Recording) -> Iterator[Observation | Skip]:
    linked = {job.id for job in recording.jobs(*STATUS) if _services(job)}
    for job in recording.jobs(*STATUS):
        if job.status != "Completed" or job.status_path not in {contract.LOAD, contract.ROLLBACK}:
            continue
        wrong = ""
        if not _services(job) and any(link.role.lower() == "datasource" for link in job.links):
            wrong = "role and name should be datasource or dataSource, and service"
        elif not _services(job) and job.id in linked:
            wrong = "the other format has the link to the data source"
        elif not _services(job):
            yield Skip("a Completed load or rollback has no link: what is stored may not name its data source")
            continue
        yield Observation(job.exchange, job.show("links"), wrong)


@rule("3.service-url", "That link is data/{accessId}/{dataSourceName}.", whole)
def _service_url(recording: Recording) -> Iterator[Observation]:
    for job in recording.jobs(*JOBS):
        name = job.text("name") or (job.requested.name if job.requested else "")
        for link in _services(job):
            found = re.fullmatch("data/[^/]+/([^/]+)", link.tail)
            is_right = found is not None and (not name or unquote(found[1]).strip() == name.strip())
            wrong = "" if is_right else f"it should be the base, {ROOT}data/, access id, data source"
            yield Observation(job.exchange, link.url, wrong)


@rule("3.spellings", "Both spellings of its role have the same URL.", jobs("links"))
def _spellings(job: ParsedJob) -> bool | None:
    urls = {link.url for link in _services(job)}
    return len(urls) == 1 if urls else None


@rule("3.access-role", "An access job's role is dataSource.", jobs("links"))
def _access_role(job: ParsedJob) -> bool | None:
    relations = [link.relation for link in _services(job)]
    return relations == [contract.SAMPLE_SERVICE] if job.job_type == contract.ACCESS_JOB and relations else None


@rule("3.base", "Links to the service are whole URLs with one base.", whole)
def _base(recording: Recording) -> Iterator[Observation | Skip]:
    first = ""
    for job in recording.jobs(*JOBS):
        for link in job.links:
            base = link.url.partition(ROOT)[0]
            if link.is_signed:
                continue
            first = first or base
            wrong = "" if base == first else f"all should begin with {first}"
            if not _WHOLE.fullmatch(base):
                wrong = f"it should be a whole URL: http or https, the host, {ROOT}"
            yield Observation(job.exchange, link.url, wrong)
            if recording.scheme == "https" and base.startswith("http:"):
                yield Skip(_PLAIN_HTTP)


@rule(
    "3.base-not-host",
    "The base is not taken from the Host header.",
    whole,
    "no other form of the Host can be sent safely, or no job of the list has a link",
)
def _base_not_host(recording: Recording) -> Iterator[Observation]:
    hosts = {split_url(link.url).netloc for job in recording.listed() for link in job.links if not link.is_signed}
    for envelope in recording.envelopes(Purpose.LIST_OTHER_HOST):
        other = dict(envelope.exchange.request.headers)["Host"]
        for link in (link for job in envelope.jobs for link in job.links if not link.is_signed):
            is_from_host = other in link.url and other not in hosts
            yield Observation(envelope.exchange, link.url, f"it follows the Host {other}" if is_from_host else "")


@rule("3.links-agree", "JSON and XML have the same links.", whole)
def _links_agree(recording: Recording) -> Iterator[Observation]:
    for pair in pairs(recording, *STATUS, Purpose.LIST):
        one, other = ([(link.relation, "" if link.is_signed else link.url) for link in job.links] for job in pair)
        if one or other:
            wrong = "" if one == other else f"JSON has {pair[0].show('links')}"
            yield Observation(pair[1].exchange, pair[1].show("links"), wrong)
