"""All rules, in the order of the contract's sections; a file for each part of it."""

from proxy.conformance.rule import REGISTERED
from proxy.conformance.rules import envelope, errors, job_list, links, outputs, requests, resources, xml

__all__ = ["RULES", "SECTIONS", "envelope", "errors", "job_list", "links", "outputs", "requests", "resources", "xml"]

SECTIONS = {
    1: "Requests",
    2: "The envelope",
    3: "Resources and their links",
    4: "Output links",
    5: "Errors",
    6: "The job list",
}
RULES = tuple(sorted(REGISTERED, key=lambda rule: rule.section))
