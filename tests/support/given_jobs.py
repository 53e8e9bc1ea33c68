"""Records and envelopes for the tests of single rules: usual ones, with what a test changes."""

from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import parse_ticks
from proxy.wire.envelope import Authentication, Envelope
from proxy.wire.job_resources import job_list_resources, job_status_resource
from proxy.wire.json_renderer import render_json
from proxy.wire.links import LinkOptions
from proxy.wire.request import Format
from proxy.wire.resources import JobResource, ResourceType
from proxy.wire.xml_renderer import render_xml
from tests.support.member_order import assert_json_order, assert_xml_order

BASE = "https://spatial.example.net"
ID = "0198c0ffee007abc8def0123456789ab"
CREATED = parse_ticks("2013-01-03T23:21:58.2262338Z")
COMPLETED = parse_ticks("2013-01-03T23:22:15.7979398Z")
PACIFIC = ZoneInfo("America/Los_Angeles")
OUTPUT = BlobPath("exports", "out put.xml")
ERRORS = BlobPath("exports", "errors.log")


def sign(blob: BlobPath) -> str:
    """A signed link in a form that is easy to look for."""
    return f"https://data.example.net/{blob.container}/{blob.name.replace(' ', '%20')}?sig=abc"


SIGNED = LinkOptions(base=BASE, roles=("datasource", "dataSource"), suffix="&legacy=output/{output}#", sign=sign)
REDIRECT = LinkOptions(base=BASE, roles=("datasource", "dataSource"), suffix="&legacy=output/{output}#", sign=None)


def record(job_type: JobType = JobType.COMPLETE, status: JobStatus = JobStatus.COMPLETED, **changes: Any) -> JobRecord:
    """A job of a data source, completed, with everything that its type can have but a failed output."""
    usual: dict[str, Any] = {
        "row_key": ID,
        "created": CREATED,
        "completed": COMPLETED,
        "data_source_name": "FourthCoffee",
        "access_id": "20181f26",
        "output_blob": OUTPUT,
    }
    return JobRecord(job_type=job_type, status=status, **(usual | changes))


def envelope(*jobs: JobResource, **changes: Any) -> Envelope:
    """A success with these jobs."""
    usual: dict[str, Any] = {
        "status_code": 200,
        "status_description": "OK",
        "authentication": Authentication.VALID,
        "copyright": "Copyright",
        "brand_logo_uri": "http://brand.example.net/logo.png",
        "trace_id": "0" * 32,
        "resources": jobs,
    }
    return Envelope(**(usual | changes))


def error(*texts: str) -> Envelope:
    """An error, which has no resource set."""
    changes = {"status_code": 404, "status_description": "Not Found", "resources": None, "error_details": texts}
    return envelope(**changes)


def plain_job(**changes: Any) -> JobResource:
    """A resource with as little as one can have, and what a test adds."""
    usual: dict[str, Any] = {
        "resource_type": ResourceType.DATA_SERVICE_JOB,
        "id": ID,
        "status": "Completed",
        "created": CREATED,
        "completed": COMPLETED,
    }
    return JobResource(**(usual | changes))


def json_of(answer: Envelope) -> dict[str, Any]:
    """The members of the JSON answer, its order checked."""
    return assert_json_order(render_json(answer))


def xml_of(answer: Envelope) -> etree._Element:
    """The root of the XML answer, its order checked."""
    return assert_xml_order(render_xml(answer, PACIFIC))


def json_status(job: JobRecord, style: LinkOptions = SIGNED) -> dict[str, Any]:
    """The job of a JSON status answer."""
    answer = envelope(job_status_resource(job, job.public_id, style, Format.JSON))
    return dict(json_of(answer)["resourceSets"][0]["resources"][0])


def xml_status(job: JobRecord, style: LinkOptions = SIGNED) -> etree._Element:
    """The job of an XML status answer."""
    answer = envelope(job_status_resource(job, job.public_id, style, Format.XML))
    return only(xml_of(answer), "{*}ResourceSets/{*}ResourceSet/{*}Resources/*")


def json_listed(job: JobRecord, style: LinkOptions = SIGNED) -> dict[str, Any]:
    """The job of a JSON job list."""
    return dict(json_of(envelope(*job_list_resources([job], style)))["resourceSets"][0]["resources"][0])


def xml_listed(job: JobRecord, style: LinkOptions = SIGNED) -> etree._Element:
    """The job of an XML job list."""
    answer = envelope(*job_list_resources([job], style))
    return only(xml_of(answer), "{*}ResourceSets/{*}ResourceSet/{*}Resources/*")


def only(parent: etree._Element, path: str) -> etree._Element:
    """The one element at a path."""
    (element,) = parent.findall(path)
    return element


def roles(job: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The role and the name of each link of a JSON job."""
    return [(link["role"], link.get("name")) for link in job.get("links", ())]
