"""A list of thousands of jobs is judged as a whole, in bounded memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from proxy.comparison.origins import parse_base_url
from proxy.conformance.collector import LONG_LIST, collect
from proxy.conformance.contract import BING
from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, evaluate
from proxy.conformance.rules import RULES
from proxy.conformance.target import Target
from tests.integration.conformance.endpoints import Answer, run, scripted
from tests.integration.conformance.mutate import Mutation, json_body, xml_body

# The list takes 26 MB when it is kept once, and more than the rest when each answer with it is kept.
JOBS = 3_000
MEGABYTES = 100

# The command prints the most memory that it has used, in kB. What a parent learns of a child's memory includes its own.
MEASURED = """
import sys
from pathlib import Path
from proxy.cli.main import main
main(sys.argv[1:])
print(*(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line), file=sys.stderr)
"""
LINK = f"https://contoso.blob.core.windows.net/exports/a?sv=2024&sp=r&sr=b&sig={'s' * 300}"
CREATED = datetime.now(UTC) - timedelta(hours=1)


def _json(jobs: int) -> bytes:
    date = f"{CREATED:%a, %d %b %Y %H:%M:%S} GMT"
    links = [{"name": name, "role": "output", "url": LINK} for name in ("succeeded", "failed")]
    head = {"__type": "DataflowJob:x", "id": "ID", "links": links, "createdDate": date, "description": "Geocode"}
    counts = {"failedEntityCount": 0, "processedEntityCount": 3, "status": "Completed", "totalEntityCount": 3}
    job = json.dumps(head | counts)
    resources = ",".join(job.replace('"ID"', f'"{number:032}"') for number in range(1, jobs + 1))
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
    resources = "".join(job.replace("<Id>ID", f"<Id>{number:032}") for number in range(1, jobs + 1))
    total = f"<EstimatedTotal>{jobs}</EstimatedTotal>"
    sets = f"<ResourceSets><ResourceSet>{total}<Resources>{resources}</Resources></ResourceSet></ResourceSets>"
    code = "<AuthenticationResultCode>ValidCredentials</AuthenticationResultCode><TraceId>TRACE</TraceId>"
    return f'<Response xmlns="{BING}">{code}{sets}</Response>'.encode()


@contextmanager
def endpoint(jobs: int, *, has_status: bool) -> Iterator[str]:
    """An endpoint that lists so many jobs, and has the status of the first one or of none; all else is 404."""
    bodies = {"json": _json(jobs), "xml": _xml(jobs)}
    statuses = {"json": _json(1), "xml": _xml(1)}

    def script(path: str) -> Answer:
        form = "xml" if "=xml" in path.lower() else "json"
        is_list = "/listjobs" in path.lower() and "/output/" not in path
        is_status = has_status and f"/geocode/{1:032}" in path.lower()
        if "key=" not in path.lower() or not (is_list or is_status):
            return Answer(b"{}", 404)
        body = (bodies if is_list else statuses)[form].replace(b"TRACE", uuid4().hex.encode())
        return Answer(body, 200, (("Content-Type", f"application/{form}; charset=utf-8"),))

    with scripted(script) as (url, _):
        yield url


@pytest.fixture(scope="module")
def long_list() -> Iterator[Recording]:
    """The exchanges with an endpoint that has more jobs than a short list."""
    with endpoint(LONG_LIST + 100, has_status=True) as url:
        yield collect(Target(parse_base_url(url), "some-key", "query-key"))


def test_long_list_is_requested_rarely_and_kept_once(long_list: Recording) -> None:
    long = [exchange for exchange in long_list.exchanges if len(exchange.body) > 100_000]
    assert 4 < len(long) < 20
    assert len({id(exchange.body) for exchange in long}) == 2  # one for each format
    envelopes = [envelope for exchange in long if (envelope := long_list.envelope_of(exchange))]
    assert len({envelope.values["traceId"] for envelope in envelopes}) == len(long)
    assert {envelope.jobs[-1].id for envelope in envelopes} == {f"{LONG_LIST + 100:032}"}
    # Requests that need no list, such as those in another letter case, use the status of a job.
    assert {each.request.job for each in long_list.of(Purpose.LIST_CASE, Purpose.LIST_SLASH)} != {None}


ODD_JOBS = {
    "3.status": json_body('(.*)"status": "Completed"', r'\1"status": "completed"', Purpose.LIST, count=1),
    "6.description": json_body('(.*)"description": "Geocode"', r'\1"description": "other"', Purpose.LIST, count=1),
    "3.xml-dates": xml_body("(.*)<CreatedDate>2", r"\1<CreatedDate>T2", Purpose.LIST, count=1),
    "2.xml-optional": xml_body("(.*)<Description>Geocode<", r"\1<Description><", Purpose.LIST, count=1),
}


@pytest.mark.parametrize("rule_id", ODD_JOBS)
def test_one_odd_job_at_end_of_long_list_fails_its_rule(long_list: Recording, rule_id: str) -> None:
    (rule,) = (each for each in RULES if each.id == rule_id)
    change: Mutation = ODD_JOBS[rule_id]
    assert evaluate(rule, long_list).outcome is Outcome.PASSED
    found = evaluate(rule, change(long_list))
    assert found.outcome is Outcome.FAILED
    assert found.reason.startswith("1 of ")


@pytest.mark.slow
def test_list_of_three_thousand_jobs_takes_little_memory() -> None:
    with endpoint(JOBS, has_status=False) as url:
        arguments = ["conformance", "--base-url", url, "--key", "some-key", "--json", "--timeout", "120"]
        ran = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, check=False, text=True)
    report = json.loads(ran.stdout)
    assert report["jobList"] == f"HTTP 200 OK, ValidCredentials, {JOBS} jobs"
    verdicts = {rule["id"]: (rule["verdict"], rule["lookedAt"]) for rule in report["rules"]}
    assert verdicts["3.status"] == ("passed", 2 * JOBS)  # in both formats; a repeated list counts once
    assert verdicts["6.formats-agree"][0] == "passed"
    assert int(ran.stderr.split()[-2]) < MEGABYTES * 1024, ran.stderr


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_long_id_makes_no_long_line(form: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "z" * 20_000, "description": "Geocode", "status": "Completed"}
    body = json.dumps({"resourceSets": [{"estimatedTotal": 1, "resources": [job]}]}).encode()
    with scripted(lambda _: Answer(body)) as (url, _):
        assert run("--base-url", url, "--key", "some-key", *form) == 1
    assert max(map(len, capsys.readouterr().out.splitlines())) < 600
