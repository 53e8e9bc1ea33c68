"""All rules, in the order of the contract's sections; a file for each part of it."""

from proxy.conformance.rule import REGISTERED
from proxy.conformance.rules import (
    envelope,
    errors,
    job_list,
    links,
    outputs,
    queries,
    query_atom,
    query_http,
    query_json,
    requests,
    resources,
    xml,
)

__all__ = [
    "RULES",
    "SECTIONS",
    "envelope",
    "errors",
    "job_list",
    "links",
    "outputs",
    "queries",
    "query_atom",
    "query_http",
    "query_json",
    "requests",
    "resources",
    "xml",
]

SECTIONS: dict[int | str, str] = {
    1: "Requests",
    2: "The envelope",
    3: "Resources and their links",
    4: "Output links",
    5: "Errors",
    6: "The job list",
    "q1": "Queries",
    "q2.1": "Entities in JSON",
    "q2.2": "Entities in Atom",
    "q2.3": "JSONP",
    "q2.4": "Distances",
    "q2.6": "The order of entities",
    "q2.7": "Errors of queries",
    "q3": "Keys of queries",
}
RULES = tuple(sorted(REGISTERED, key=lambda rule: list(SECTIONS).index(rule.section)))
