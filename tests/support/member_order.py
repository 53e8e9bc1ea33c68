"""The orders of wire-contract.md, sections 2 and 3, written out once more: a renderer is not its own judge."""

import json
from collections.abc import Sequence
from typing import Any

from lxml import etree

BING = "http://schemas.microsoft.com/search/local/ws/rest/v1"

JSON_ENVELOPE = [
    "authenticationResultCode",
    "brandLogoUri",
    "copyright",
    "errorDetails",
    "resourceSets",
    "statusCode",
    "statusDescription",
    "traceId",
]
JSON_SET = ["estimatedTotal", "resources"]
JSON_JOB = [
    "__type",
    "id",
    "links",
    "name",
    "completedDate",
    "createdDate",
    "description",
    "errorMessage",
    "failedEntityCount",
    "processedEntityCount",
    "status",
    "totalEntityCount",
]
JSON_LINK = ["name", "role", "url"]

XML_ENVELOPE = [
    "Copyright",
    "BrandLogoUri",
    "StatusCode",
    "StatusDescription",
    "AuthenticationResultCode",
    "ErrorDetails",
    "TraceId",
    "ResourceSets",
]
XML_SET = ["EstimatedTotal", "Resources"]
XML_JOB = [
    "Name",
    "Id",
    "Link",
    "Description",
    "Status",
    "CreatedDate",
    "CompletedDate",
    "TotalEntityCount",
    "ProcessedEntityCount",
    "FailedEntityCount",
    "ErrorMessage",
]
XML_LINK = ["role", "name"]


def assert_json_order(content: bytes) -> dict[str, Any]:
    """Reads a JSON answer strictly, and checks every member's name and place; gives its members."""
    members: dict[str, Any] = json.loads(content.decode("utf-8"))
    _assert_subsequence(list(members), JSON_ENVELOPE)
    for resource_set in members["resourceSets"]:
        assert list(resource_set) == JSON_SET
        for job in resource_set["resources"]:
            _assert_subsequence(list(job), JSON_JOB)
            assert next(iter(job)) == "__type"
            for link in job.get("links", ()):
                _assert_subsequence(list(link), JSON_LINK)
    return members


def assert_xml_order(content: bytes) -> etree._Element:
    """Reads an XML answer strictly, and checks every element's name, namespace and place; gives its root."""
    root = etree.fromstring(content, etree.XMLParser(recover=False, resolve_entities=False, no_network=True))
    for element in root.iter():
        assert etree.QName(element).namespace == BING
        assert element.prefix is None
    assert etree.QName(root).localname == "Response"
    _assert_subsequence(names_of(root), XML_ENVELOPE)
    assert {etree.QName(detail).localname for detail in root.iterfind("{*}ErrorDetails/*")} <= {"string"}
    for resource_set in root.iterfind("{*}ResourceSets/{*}ResourceSet"):
        assert names_of(resource_set) == XML_SET
    for job in root.iterfind("{*}ResourceSets/{*}ResourceSet/{*}Resources/*"):
        assert etree.QName(job).localname in {"DataflowJob", "DataServiceJob"}
        _assert_subsequence(names_of(job), XML_JOB, repeated="Link")
        for link in job.iterfind("{*}Link"):
            _assert_subsequence([str(name) for name in link.attrib], XML_LINK)
    return root


def names_of(parent: etree._Element) -> list[str]:
    """The names of an element's children, without their namespace."""
    return [etree.QName(child).localname for child in parent]


def _assert_subsequence(found: Sequence[str], order: Sequence[str], repeated: str = "") -> None:
    kept = [name for index, name in enumerate(found) if name != repeated or found[index - 1 : index] != [repeated]]
    assert kept == [name for name in order if name in kept]
