"""The documents' examples: which file shows which jobs of which document."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.model.jobs import JobRecord
from proxy.wire.envelope import DEFAULT_BRAND_LOGO_URL, DEFAULT_COPYRIGHT, Authentication, Branding, Envelope
from proxy.wire.job_resources import job_list_resources, job_status_resource
from proxy.wire.json_renderer import render_json
from proxy.wire.links import LinkOptions
from proxy.wire.request import Format
from proxy.wire.xml_renderer import render_xml
from tests.documented.documented_jobs import (
    DOWNLOAD_JSON,
    DOWNLOAD_XML,
    JOB_LIST_JSON,
    JOB_LIST_XML,
    LOAD_COMPLETED,
    LOAD_ID,
    LOAD_PENDING,
)

FOLDER = Path(__file__).parent / "examples"

# The documents' links stay on their own host, and know one spelling of the data source's role.
STYLE = LinkOptions(
    base="https://spatial.virtualearth.net", roles=("datasource",), suffix="&legacy=output/{output}#", sign=None
)
PACIFIC = ZoneInfo("America/Los_Angeles")

LOAD_COPYRIGHT = (
    "© 2011 Microsoft and its suppliers. This API and any results cannot be used or accessed without"
    " Microsoft\N{RIGHT SINGLE QUOTATION MARK}s express written permission."
)


@dataclass(frozen=True)
class Example:
    """One file: the document's answer in one format. `reference` is what the job was asked for by; a list has none."""

    file: str
    documents: tuple[str, ...]
    records: tuple[JobRecord, ...]
    trace_id: str
    copyright: str
    reference: str | None = None

    @property
    def format(self) -> Format:
        """The format, by the ending of the file's name."""
        return Format(self.file.rpartition(".")[2])

    def content(self) -> bytes:
        """The file's bytes."""
        return (FOLDER / self.file).read_bytes()

    def render(self) -> bytes:
        """What the proxy says of the same records."""
        if self.reference is None:
            jobs = job_list_resources(self.records, STYLE)
        else:
            jobs = tuple(job_status_resource(record, self.reference, STYLE, self.format) for record in self.records)
        envelope = Envelope(
            status_code=200,
            status_description="OK",
            authentication=Authentication.VALID,
            copyright=self.copyright,
            brand_logo_uri=DEFAULT_BRAND_LOGO_URL,
            trace_id=self.trace_id,
            resources=jobs,
        )
        return render_xml(envelope, PACIFIC) if self.format is Format.XML else render_json(envelope)


_LIST = ("get-job-list",)
_LOAD = ("get-load-data-source-status", "get-load-data-source-status-2")
# Corrected, the answers of the two pages are the same.
_DOWNLOAD = ("get-download-data-source-job-status", "download-data-source-dataflow-response-description")

_TRACE = "9401a5764214a3b87a4c982d2d98a640"
_2011, _2013 = (Branding(DEFAULT_COPYRIGHT).format_copyright(year) for year in (2011, 2013))

EXAMPLES = (
    Example("get-job-list.json", _LIST, JOB_LIST_JSON, "3f3b4619b0b7485a97feb883eb871f70", _2013),
    Example("get-job-list.xml", _LIST, JOB_LIST_XML, "f8e999a06f3b449894c175aded847e12", _2013),
    *(
        Example(f"get-load-data-source-status-{state}.{ending}", _LOAD, (record,), _TRACE, LOAD_COPYRIGHT, LOAD_ID)
        for state, record in (("pending", LOAD_PENDING), ("completed", LOAD_COMPLETED))
        for ending in ("json", "xml")
    ),
    Example(
        "get-download-data-source-job-status.json",
        _DOWNLOAD,
        (DOWNLOAD_JSON,),
        "9bc6dede6e79468ba1cc3728aa7f1cb4",
        _2011,
        "MyDataSourceName",
    ),
    Example(
        "get-download-data-source-job-status.xml",
        _DOWNLOAD,
        (DOWNLOAD_XML,),
        "0ddc1a3bd3dc46e28c92bb01942b0812",
        _2011,
        "MyDataSourceName",
    ),
)
