"""Section 2 as far as it is about XML alone: namespaces, white space, what stands before it."""

import re
from collections.abc import Iterator
from dataclasses import replace

from proxy.conformance.contract import BING, XSD, XSI
from proxy.conformance.exchange import AskedFormat, Exchange
from proxy.conformance.parsed import ParsedJob
from proxy.conformance.parser import XmlForm
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Rule, Skip
from proxy.conformance.rules.checks import JOBS, STATUS, bodies, jobs

_OPTIONAL = ("Name", "Link", "Description", "ErrorMessage")
_DECLARED = bodies(
    rb"""(?i)\A<\?xml version=["']1\.0["'] encoding=["']utf-8["']""", "it should", AskedFormat.XML, must=True
)
NOT_INDENTED = re.compile(rb"(?:<Response[^>]{0,500}>|</[A-Za-z]{1,40}>|<[A-Za-z]{1,40} ?/>)<[A-Za-z/]")


def _forms(record: Recording) -> Iterator[tuple[Exchange, XmlForm]]:
    for each in record.envelopes(form=AskedFormat.XML):
        yield each.exchange, record.xml_form_of(each.exchange)


def _root(record: Recording) -> Iterator[Observation]:
    for exchange, form in _forms(record):
        wrong = "" if form.root == f"{{{BING}}}Response" else f"it should be Response in {BING}"
        yield Observation(exchange, form.root, wrong)


def _namespaces(record: Recording) -> Iterator[Observation | Skip]:
    for exchange, form in _forms(record):
        shown = " ".join(f'xmlns:{name}="{url}"' for name, url in form.declared.items())
        is_page = "datasourcedownload" in exchange.ask.path.lower()
        if is_page and form.declared == {name: f"https{url[4:]}" for name, url in (("xsi", XSI), ("xsd", XSD))}:
            wrong = "with https, as the download page prints them; the contract has http"
            yield Observation(exchange, shown, wrong, documented=True)
        else:
            sound = form.declared == {"xsi": XSI, "xsd": XSD}
            yield Observation(exchange, shown, "" if sound else "both should be declared, with http")


def _unprefixed(record: Recording) -> Iterator[Observation]:
    for exchange, form in _forms(record):
        shown = form.root if form.odd is None else f"{form.odd[0]}, prefix {form.odd[1]}"
        wrong = "" if form.odd is None else "names should have no prefix, in the one namespace"
        yield Observation(exchange, shown, wrong)


def _declaration(record: Recording) -> Iterator[Observation | Skip]:
    for seen in _DECLARED(record):
        if isinstance(seen, Observation) and seen.exchange.body.startswith(b"<Response"):
            wrong = "no declaration, as the pages of loads and of the list print it; the contract has one"
            yield replace(seen, wrong=wrong, documented=True)
        else:
            yield seen


def _error_strings(record: Recording) -> Iterator[Observation]:
    for exchange, form in _forms(record):
        for names in form.errors:
            sound = set(names) == {"string"}
            yield Observation(
                exchange, f"ErrorDetails: {', '.join(names)}", "" if sound else "it should have string children"
            )


def _indented(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(form=AskedFormat.XML):
        found = NOT_INDENTED.search(each.exchange.body)
        if found is None:
            place = each.exchange.body.find(b"<TraceId>")
            yield Observation(each.exchange, (max(0, place - 20), place + 9))
        else:
            yield Observation(
                each.exchange, (found.start(), found.end()), "white space should stand before each element"
            )


def _after_links(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(*JOBS, form=AskedFormat.XML):
        for found in re.finditer(rb"</Link>.", each.exchange.body, re.DOTALL):
            wrong = "" if found[0][-1:].isspace() else "white space should follow"
            yield Observation(each.exchange, (found.start(), found.end() + 10), wrong)


def _nil(job: ParsedJob) -> tuple[str, str]:
    there = "CompletedDate" in job.order
    sound = there and (("CompletedDate" in job.nil) == (job.text("completedDate") is None))
    return job.shows(
        "completedDate"
    ), "" if sound else "CompletedDate should always be there, nil where there is no date"


def _nil_marked(record: Recording) -> Iterator[Observation]:
    for exchange, form in _forms(record):
        for attributes in form.empty_dates:
            sound = attributes == {f"{{{XSI}}}nil": "true"}
            yield Observation(exchange, f"CompletedDate {attributes}", "" if sound else 'it should be xsi:nil="true"')


def _optional(job: ParsedJob) -> tuple[str, str]:
    empty = [name for name in job.nil if name in _OPTIONAL]
    return ", ".join(job.order), f"{empty[0]} is empty; it should be absent" if empty else ""


RULES = (
    Rule("2.xml-root", "The root is Response, in the namespace of the service.", _root),
    Rule("2.xml-namespaces", "xsi and xsd are declared, with http.", _namespaces),
    Rule("2.xml-unprefixed", "Names have no prefix.", _unprefixed),
    Rule(
        "2.xml-declaration",
        "XML begins with its declaration, UTF-8, and nothing before it, no BOM either.",
        _declaration,
    ),
    Rule("2.xml-error-strings", "ErrorDetails has a string child for each text.", _error_strings),
    Rule("2.xml-indented", "XML is indented.", _indented),
    Rule("2.xml-after-link", "White space follows every </Link>.", _after_links, "no job has a link"),
    Rule("2.xml-completed-date", "CompletedDate is always there.", jobs(_nil, form=AskedFormat.XML), "there is no job"),
    Rule(
        "2.xml-nil",
        'A CompletedDate without a date is xsi:nil="true".',
        _nil_marked,
        "every job in the list has a CompletedDate",
    ),
    Rule(
        "2.xml-optional",
        "Optional elements are absent, not empty.",
        jobs(_optional, *STATUS, *JOBS, form=AskedFormat.XML),
        "there is no job",
    ),
)
