"""All rules, in the order of the contract."""

from proxy.conformance.rule import Rule
from proxy.conformance.rules import envelope, errors, job_list, links, outputs, requests, resources
from proxy.conformance.rules import xml as xml_form

SECTIONS = {
    1: "Requests",
    2: "The envelope",
    3: "Resources and their links",
    4: "Output links",
    5: "Errors",
    6: "The job list",
}

RULES: tuple[Rule, ...] = (
    *requests.RULES,
    *envelope.RULES,
    *xml_form.RULES,
    *resources.RULES,
    *links.RULES,
    *outputs.RULES,
    *errors.RULES,
    *job_list.RULES,
)
