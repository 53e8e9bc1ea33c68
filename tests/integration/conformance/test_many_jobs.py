"""A list of as many jobs as an account may have is judged; one of an absurd number costs neither memory nor time."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import from_datetime
from proxy.cli.main import main
from proxy.conformance.client import ClientLimits
from proxy.conformance.collector import LONG_LIST
from proxy.conformance.contract import BING
from proxy.conformance.exchange import AskedFormat, Exchange, Purpose
from proxy.conformance.parser import read
from proxy.conformance.recording import Recording
from proxy.conformance.request_plan import FIRST, LISTS
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.catalog import RULES
from tests.conftest import StartServer
from tests.integration.conformance.accounts import record_of
from tests.integration.conformance.breaking import Mutation, json_body, xml_body
from tests.integration.conformance.endpoints import Said, answering
from tests.support.storage import Storage

JOBS = 12_000
MEGABYTES = 300

# The command, which then tells the most memory that it has used, in kB. What a parent is told of a child's memory has
# its own in it, as it was when the child began.
MEASURED = """
import sys
from pathlib import Path
from proxy.cli.main import main
main(sys.argv[1:])
print(*(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "resources",
    [b"{}," * 40_000 + b"{}", b"1," * 700_000 + b"1"],
    ids=["more jobs than an account has", "more parts than such a list has"],
)
def test_an_absurd_number_of_parts_is_no_envelope(resources: bytes) -> None:
    body = b'{"resourceSets":[{"resources":[' + resources + b"]}]}"
    assert read(Exchange(ask=FIRST, status=200, body=body)) is None


def test_a_list_of_ten_thousand_jobs_is_read_as_a_whole() -> None:
    link = '{"name":"succeeded","role":"output","url":"https:\\/\\/a\\/b?' + "s" * 400 + '"}'
    job = '{"id":"%032d","links":[%s,%s],"createdDate":"Thu, 03 Jan 2013 23:22:15 GMT","description":"Geocode"'
    job += ',"failedEntityCount":0,"processedEntityCount":3,"status":"Completed","totalEntityCount":3}'
    jobs = ",".join(job % (number, link, link) for number in range(10_000))
    body = f'{{"resourceSets":[{{"estimatedTotal":10000,"resources":[{jobs}]}}]}}'.encode()
    assert len(body) < ClientLimits().size
    assert len(LISTS) * len(body) < ClientLimits().all_size
    found = read(Exchange(ask=FIRST, status=200, body=body))
    assert found is not None
    assert len(found.jobs) == 10_000


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_long_id_makes_no_long_report(form: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "z" * 20_000, "description": "Geocode", "status": "Completed"}
    body = json.dumps({"resourceSets": [{"estimatedTotal": 1, "resources": [job]}]}).encode()
    with answering(lambda _: Said(body)) as (url, _):
        assert main(["conformance", "--base-url", url, "--key", "some-key", *form]) == 1
    assert max(map(len, capsys.readouterr().out.splitlines())) < 600


@pytest.fixture
def long_list(storage: Storage, start: StartServer) -> Recording:
    """What a server with more jobs than a short list has was asked and answered."""
    created = [from_datetime(datetime.now(UTC) - timedelta(minutes=5 + number)) for number in range(LONG_LIST + 100)]
    jobs = [
        JobRecord(
            row_key=new_job_id(moment),
            job_type=JobType.GEOCODE,
            status=JobStatus.COMPLETED,
            created=moment,
            completed=moment,
            total=3,
            processed=3,
            failed=0,
            output_blob=BlobPath("exports", "a.csv"),
        )
        for moment in created
    ]

    async def write() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), 30)
        async with AccountRegistry(
            {storage.account: ConnectionStringConfig(storage.connection_string)}, options
        ) as accounts:
            await accounts[storage.account].jobs.put(jobs)

    asyncio.run(write())
    return record_of(start(storage, storage_timeout=30))


def test_a_long_list_is_asked_for_a_few_times_kept_once_and_judged_as_a_whole(long_list: Recording) -> None:
    lists = [each for each in long_list.exchanges if len(each.body) > 100_000]
    assert {each.ask.purpose for each in lists} == {Purpose.LIST, Purpose.LIST_AGAIN, Purpose.LIST_QUERY_KEY}
    assert len(lists) < 10
    in_json = [
        each
        for each in lists
        if each.ask.format is AskedFormat.JSON and each.ask.purpose in {Purpose.LIST, Purpose.LIST_AGAIN}
    ]
    assert len(in_json) > 2
    assert len({id(each.body) for each in in_json}) == 1
    told = [envelope.values["traceId"] for each in lists if (envelope := long_list.envelope_of(each))]
    assert len(set(told)) == len(lists)
    assert [rule.id for rule in RULES if verdict(rule, long_list).outcome is Outcome.FAILED] == []
    # All that needs no job of another kind is judged as in a short list: parameters, letter case, HEAD.
    for rule in RULES:
        if rule.id.startswith(("1.parameter", "1.value", "1.output-", "1.key-", "1.path", "1.slash", "1.head", "1.up")):
            assert verdict(rule, long_list).outcome is Outcome.PASSED or "download" in rule.id, rule.id


@pytest.mark.parametrize(
    ("rule_id", "change"),
    [
        ("3.status", json_body('(.*)"status":"Completed"', r'\1"status":"completed"', Purpose.LIST, count=1)),
        ("6.geocode-links", json_body('(.*)"role":"self"', r'\1"role":"other"', Purpose.LIST, count=1)),
        ("3.xml-dates", xml_body("(.*)<CreatedDate>2", r"\1<CreatedDate>T2", Purpose.LIST, count=1)),
        ("2.xml-nil", xml_body("(.*)<CompletedDate>[^<]*<", r"\1<CompletedDate><", Purpose.LIST, count=1)),
    ],
)
def test_one_odd_job_at_the_end_of_a_long_list_breaks_the_rule(
    long_list: Recording, rule_id: str, change: Mutation
) -> None:
    (rule,) = (each for each in RULES if each.id == rule_id)
    found = verdict(rule, change(long_list))
    assert found.outcome is Outcome.FAILED
    assert found.reason.startswith("1 of ")


def test_a_list_of_twelve_thousand_jobs_takes_little_memory() -> None:
    bodies = {form: body.replace(b"TRACE", b"%s") for form, body in (("json", _json(JOBS)), ("xml", _xml(JOBS)))}

    def say(path: str) -> Said:
        form = "xml" if "=xml" in path.lower() else "json"
        if "listjobs?" not in path.lower() or "key=" not in path.lower():
            return Said(b"{}", 404)
        headers = (("Content-Type", f"application/{form}; charset=utf-8"),)
        return Said(bodies[form].replace(b"%s", uuid4().hex.encode()), 200, headers)

    with answering(say) as (url, _):
        arguments = ["conformance", "--base-url", url, "--key", "some-key", "--json", "--timeout", "120"]
        ran = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, check=False, text=True)
    told = json.loads(ran.stdout)
    assert told["jobList"] == f"HTTP 200 OK, ValidCredentials, {JOBS} jobs"
    verdicts = {rule["id"]: (rule["verdict"], rule["lookedAt"]) for rule in told["rules"]}
    assert verdicts["3.status"] == ("kept", 2 * JOBS)  # in both formats, and what came again only once
    assert verdicts["6.formats-agree"][0] == "kept"
    assert int(ran.stderr.split()[-2]) < MEGABYTES * 1024, ran.stderr


LINK = f"https://contoso.blob.core.windows.net/exports/a?sv=2024&sp=r&sr=b&sig={'s' * 300}"
CREATED = datetime.now(UTC) - timedelta(hours=1)


def _json(jobs: int) -> bytes:
    date = f"{CREATED:%a, %d %b %Y %H:%M:%S} GMT"
    links = [{"name": name, "role": "output", "url": LINK} for name in ("succeeded", "failed")]
    counts = {"failedEntityCount": 0, "processedEntityCount": 3, "status": "Completed", "totalEntityCount": 3}
    told = {"__type": "DataflowJob:x", "id": "ID", "links": links, "createdDate": date, "description": "Geocode"}
    job = json.dumps(told | counts)
    resources = ",".join(job.replace('"ID"', f'"{number:032}"') for number in range(jobs))
    sets = f'[{{"estimatedTotal":{jobs},"resources":[{resources}]}}]'
    code = '"authenticationResultCode":"ValidCredentials"'
    return f'{{{code},"resourceSets":{sets},"statusCode":200,"traceId":"TRACE"}}'.encode()


def _xml(jobs: int) -> bytes:
    link = LINK.replace("&", "&amp;")
    links = "".join(f'<Link role="output" name="{name}">{link}</Link>' for name in ("succeeded", "failed"))
    counts = "".join(f"<{name}EntityCount>3</{name}EntityCount>" for name in ("Total", "Processed", "Failed"))
    date = f"{CREATED:%Y-%m-%dT%H:%M:%S}+00:00"
    job = f"<DataflowJob><Id>ID</Id>{links}<Description>Geocode</Description><Status>Completed</Status>"
    job += f"<CreatedDate>{date}</CreatedDate>{counts}</DataflowJob>"
    resources = "".join(job.replace("<Id>ID", f"<Id>{number:032}") for number in range(jobs))
    total = f"<EstimatedTotal>{jobs}</EstimatedTotal>"
    sets = f"<ResourceSets><ResourceSet>{total}<Resources>{resources}</Resources></ResourceSet></ResourceSets>"
    code = "<AuthenticationResultCode>ValidCredentials</AuthenticationResultCode><TraceId>TRACE</TraceId>"
    return f'<Response xmlns="{BING}">{code}{sets}</Response>'.encode()
