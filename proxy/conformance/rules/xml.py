"""Section 2, what it says about XML alone: namespaces, white space, the declaration."""

import re
from collections.abc import Iterator
from dataclasses import replace

from proxy.conformance.contract import BING, XML, XSD, XSI
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Documented, Observation, Skip, rule
from proxy.conformance.rules.checks import JOBS, envelopes, jobs, matches, whole

_OPTIONAL = ("Name", "Link", "Description", "ErrorMessage")
_NOT_INDENTED = re.compile(rb"(?:<Response[^>]{0,500}>|</[A-Za-z]{1,40}>|<[A-Za-z]{1,40} ?/>)<[A-Za-z/]")
_NAMESPACES = {"xsi": XSI, "xsd": XSD}
_PRINTED = {name: url.replace("http:", "https:") for name, url in _NAMESPACES.items()}
_DECLARED = matches(
    rb"""(?i)\A<\?xml version=["']1\.0["'] encoding=["']utf-8["']""",
    "it should begin with its declaration",
    XML,
    must=True,
)

rule("2.xml-root", "The root is Response, in the namespace of the service.", envelopes("xml", form=XML))(
    lambda envelope: envelope.xml.root == f"{{{BING}}}Response"
)


@rule("2.xml-namespaces", "xsi and xsd are declared, with http.", envelopes("xml", form=XML))
def _namespaces(envelope: ParsedEnvelope) -> str | bool:
    if "datasourcedownload" in envelope.exchange.request.path.lower() and envelope.xml.declared == _PRINTED:
        return Documented("with https, as the download page prints them; the contract has http")
    return envelope.xml.declared == _NAMESPACES


rule("2.xml-unprefixed", "Names have no prefix.", envelopes("xml", form=XML))(lambda envelope: not envelope.xml.foreign)


@rule("2.xml-declaration", "XML begins with its declaration, UTF-8, and nothing before it, no BOM either.", whole)
def _declaration(recording: Recording) -> Iterator[Observation | Skip]:
    for each in _DECLARED(recording):
        if isinstance(each, Observation) and each.exchange.body.startswith(b"<Response"):
            wrong = "no declaration, as the pages of loads and of the list print it; the contract has one"
            yield replace(each, wrong=Documented(wrong))
        else:
            yield each


@rule("2.xml-error-strings", "ErrorDetails has a string child for each text.", envelopes("xml", form=XML))
def _error_strings(envelope: ParsedEnvelope) -> bool | None:
    return None if envelope.details is None else set(envelope.xml.error_elements) == {"string"}


@rule("2.xml-indented", "XML is indented.", whole)
def _indented(recording: Recording) -> Iterator[Observation]:
    for envelope in recording.envelopes(form=XML):
        found = _NOT_INDENTED.search(envelope.exchange.body)
        if found is None:
            yield Observation(envelope.exchange, (0, 100))
        else:
            yield Observation(envelope.exchange, found.span(), "white space should stand before each element")


@rule("2.xml-after-link", "White space follows every </Link>.", whole)
def _after_link(recording: Recording) -> Iterator[Observation]:
    for envelope in recording.envelopes(*JOBS, form=XML):
        for found in re.finditer(rb"</Link>.", envelope.exchange.body, re.DOTALL):
            wrong = "" if found[0][-1:].isspace() else "white space should follow"
            yield Observation(envelope.exchange, (found.start(), found.end() + 10), wrong)


@rule("2.xml-completed-date", "CompletedDate is always there.", jobs("completedDate", form=XML))
def _completed_date(job: ParsedJob) -> str:
    is_right = "CompletedDate" in job.order and ("CompletedDate" in job.empty) is ("completedDate" not in job.values)
    return "" if is_right else "CompletedDate should be there, nil where there is no date"


@rule("2.xml-nil", 'A CompletedDate without a date is xsi:nil="true".', whole)
def _nil(recording: Recording) -> Iterator[Observation]:
    for envelope in recording.envelopes(form=XML):
        for attributes in envelope.xml.empty_dates:
            wrong = "" if attributes == ((f"{{{XSI}}}nil", "true"),) else 'it should be xsi:nil="true"'
            yield Observation(envelope.exchange, f"CompletedDate {dict(attributes)}", wrong)


@rule("2.xml-optional", "Optional elements are absent, not empty.", jobs("order", form=XML))
def _optional(job: ParsedJob) -> str:
    empty = [name for name in job.empty if name in _OPTIONAL]
    return f"{empty[0]} is empty" if empty else ""
