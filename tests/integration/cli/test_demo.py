"""`demo`: what a newcomer sees first. Its printed requests are run as they stand."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from azure.data.tables import TableServiceClient
from lxml import etree

from adapters.model.jobs import JobType
from proxy.demo import samples
from proxy.demo.command import MASTER_KEY, QUERY_KEY
from proxy.demo.maps import stand_in
from proxy.keyring.file import parse_keyring
from proxy.keyring.keyring import hash_key
from proxy.settings import Settings
from tests.docs.pages import block, section
from tests.support.demo_process import QUIET_SECONDS, Demo, checkout, fetch, run_script, running_demo
from tests.support.live import NO_TLS, wait_for
from tests.support.processes import free_port

ROOT = Path(__file__).parents[3]
PRINTED = 16
RING_FILE = "demo-ring.json"
SETTINGS = f"PROXY_KEYRING_FILE={RING_FILE} DEMO_MAPS_KEY={stand_in.KEY}"
COMMANDS = f". .venv/bin/activate && {SETTINGS} spatial-data-proxy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands in for the checkout: `make demo` writes the demo's key ring there."""
    return checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    # The port of metrics is the server's alone: the worker must do its jobs beside it.
    with running_demo("--ring-file", str(folder / RING_FILE), metrics_port=free_port()) as started:
        yield started


def test_the_printed_requests_answer_as_they_stand(demo: Demo, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine; the URLs are tested below")
    requests = re.findall(r"^  ((?:curl (?!(?:-L )?\")|link=).*)$", demo.text, re.MULTILINE)
    assert len(requests) == PRINTED
    nearby, feed, near_address, *answers = [run_script(request, tmp_path) for request in requests]
    del answers[4:7]  # the geocode job, which has a test of its own
    shops = json.loads(nearby)["d"]["results"]
    assert [shop["PrimaryCity"] for shop in shops] == ["Verona", "Fairfield"]
    assert 0 < shops[0]["__Distance"] < shops[1]["__Distance"] < 5
    assert [shop["PrimaryCity"] for shop in json.loads(near_address)["d"]["results"]] == ["Verona", "Fairfield"]
    assert etree.fromstring(feed.encode()).tag == "{http://www.w3.org/2005/Atom}feed"
    assert [name for name in (shop["Name"] for shop in shops) if f"<d:Name>{name}</d:Name>" not in feed] == []
    assert '"status":"Completed"' in answers[0]
    assert "<Status>Completed</Status>" in answers[1]
    assert '"status":"Pending"' in answers[2]
    assert '"status":"Completed"' in answers[3]
    assert "<EstimatedTotal>31</EstimatedTotal>" in answers[4]
    assert answers[5] == answers[6]
    assert etree.fromstring(answers[5].encode()).tag == "FourthCoffeeSample"
    assert "FourthCoffeeSample" in answers[7]
    assert 'EntityType Name="FourthCoffeeShops"' in answers[8]
    assert "InvalidCredentials" in answers[9]


def test_the_printed_console_answers_with_a_page(demo: Demo) -> None:
    answer = demo.get(f"{demo.console}/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1" in answer.text


def wait_until_completed(demo: Demo, job: str) -> None:
    url = f"{demo.base}/REST/v1/Dataflows/Geocode/{job}?key={QUERY_KEY}"
    wait_for(lambda: '"status":"Completed"' in fetch(url).text, QUIET_SECONDS)


def without_traces(text: str) -> str:
    """An output without its trace ids, which no two runs share."""
    return re.sub(r",[0-9a-f]{32}$", ",", text, flags=re.MULTILINE)


def test_the_documents_addresses_are_geocoded_by_a_job_and_as_the_sample_job_shows(demo: Demo) -> None:
    (job,) = set(re.findall(r"curl (?:-L )?'\S+/Geocode/([0-9a-f]{32})", demo.text))
    assert job != samples.GEOCODE_ID
    wait_until_completed(demo, job)
    for name, rows in (("succeeded", samples.ROWS_FOUND), ("failed", samples.ROWS_NOT_FOUND)):
        path = f"Geocode/{{}}/output/{name}?key={QUERY_KEY}"
        real, sample = (
            fetch(f"{demo.base}/REST/v1/Dataflows/{path.format(each)}", follow_redirects=True).text
            for each in (job, samples.GEOCODE_ID)
        )
        assert without_traces(real) == without_traces(sample) != real
        assert real.count("\n") == rows + 2 >= 4


def test_the_printed_batch_is_geocoded_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    create, poll, fetch = re.findall(r"^  (job=\$\(.*|curl .*/Geocode/\$job.*)$", demo.text, re.MULTILINE)
    job = run_script(f'{create}\necho "$job"\n', tmp_path).strip()
    assert f'"id":"{job}"' in run_script(f"job={job}\n{poll}\n", tmp_path)
    wait_until_completed(demo, job)
    assert [line.split("|")[1] for line in run_script(f"job={job}\n{fetch}\n", tmp_path).splitlines()[2:]] == [
        "Denver, CO",
        "Boulder, CO",
    ]


def readme_script(demo: Demo, heading: str) -> str:
    """The first shell block of the README behind a text, for this demo."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(heading)[1]
    return block(text, "sh").replace("http://127.0.0.1:8080", demo.base)


def test_the_readmes_batch_is_geocoded_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    found = run_script(readme_script(demo, "\nGeocode addresses"), tmp_path).splitlines()
    assert [line.split("|")[0] for line in found] == [
        "Bing Spatial Data Services, 2.0", "Id", "1", "2", "Bing Spatial Data Services, 2.0", "Id", "3",
    ]  # fmt: skip
    assert found[2].split("|")[2] == "1 Microsoft Way, Redmond, WA 98052"
    assert found[6].endswith("|No location was found for this request.")


def test_the_guides_batch_is_geocoded_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    script = block(section(guide, "## A batch of addresses"), "sh").replace("http://127.0.0.1:8080", demo.base)
    found = run_script(script, tmp_path).splitlines()
    assert found[2].startswith('1,"1 Microsoft Way, Redmond, WA","1 Microsoft Way, Redmond, WA 98052",47.64')
    assert found[3].startswith('2,BD4 9JB,"BD4 9JB, United Kingdom",53.77')
    assert found[6:] == ["3,Nowhere in particular,,,"]


@pytest.mark.slow  # the package waits for five seconds between its polls
def test_the_readmes_geocoder_finds_the_places(demo: Demo, folder: Path) -> None:
    install, program = readme_script(demo, "\nThe package `geocoder`").strip().split("\n", 1)
    assert install == "pip install geocoder"
    places = [[39.7400093078613, -104.99201965332], []]
    # It does not ask again where storage is away.
    wait_for(lambda: json.loads(run_script(f". .venv/bin/activate\n{program}\n", folder)) == places, QUIET_SECONDS)


def test_the_links_of_the_samples_lead_somewhere(demo: Demo) -> None:
    links = set()
    for path in re.findall(r"curl '(http\S+)'", demo.text):
        links |= set(re.findall(r'"url":"([^"]+)"|<Link[^>]*>([^<]+)<', fetch(path).text))
    urls = {(found or other).replace("\\/", "/").replace("&amp;", "&") for found, other in links}
    assert len(urls) >= 8
    for url in urls:
        answer = fetch(f"{url}?key=demo-master-key", follow_redirects=True)
        assert answer.status_code == 200, url
        assert answer.content


@pytest.mark.slow
def test_the_printed_commands_work_beside_it(demo: Demo, tmp_path: Path) -> None:
    script = demo.text.split("in another terminal.")[1].partition("\n")[2]
    lines = re.findall(r"^  ((?:export|key=|curl|/).*)$", script.partition("Storage explorers")[0], re.MULTILINE)
    assert len(lines) == 7
    assert "DEMO_MAPS_KEY=" in lines[0]
    keys = run_script("\n".join(lines[:5]), tmp_path)
    assert '"estimatedTotal":' in keys  # the request with the new key
    listed = keys.splitlines()
    for name in ("demo master", "demo query", "store locator"):
        assert sum(name in line for line in listed) == 1
    rest = run_script("\n".join([lines[0], *lines[5:]]), tmp_path)
    assert rest.startswith("ok     demo: ")
    assert rest.count('"JobType"') > 31


def test_the_ring_file_is_there_while_the_demo_runs(demo: Demo, folder: Path) -> None:
    ring = parse_keyring((folder / RING_FILE).read_text())
    assert f"PROXY_KEYRING_FILE={folder / RING_FILE}\n" in demo.text
    assert not ring.grants
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"-m proxy demo --ring-file {RING_FILE}\n" in makefile


@pytest.mark.slow
def test_the_readmes_key_opens_the_demo_until_it_is_revoked(demo: Demo, folder: Path) -> None:
    script = readme_script(demo, "\nGive a program a key")
    key = run_script(script + 'echo "$key"\n', folder).splitlines()[-1]
    url = f"{demo.base}/REST/v1/Dataflows/ListJobs?key={key}"
    wait_for(lambda: fetch(url).status_code == 401, QUIET_SECONDS)


@pytest.mark.slow
def test_the_guides_key_opens_the_demo_until_it_is_revoked(demo: Demo, folder: Path) -> None:
    script = block(section((ROOT / "docs" / "getting-started.md").read_text(), "## A key for each program"), "sh")
    assert f"\nsleep {Settings.model_fields['key_store_seconds'].default + 2} && curl -i " in script
    until_refused = 'until curl -s "$base/Dataflows/ListJobs?key=$key" | grep -q :401; do sleep 0.2; done;'
    script = re.sub(r"\bsleep \d+ &&", lambda _: until_refused, script)
    answers = run_script(script.replace("http://127.0.0.1:8080", demo.base), folder)
    first, refused = answers.split("HTTP/1.1 ")
    assert '"statusCode":200' in first
    assert first.count("store locator") == 2  # listed, and shown
    assert refused.startswith("401 ")


def test_the_guides_queries_answer_as_they_stand(demo: Demo, folder: Path) -> None:
    guide = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    script = block(guide.split("\nQueries find entities")[1], "sh").replace("http://127.0.0.1:8080", demo.base)
    nearby, feed, shop = run_script(script.replace("curl ", "echo; curl -s "), folder).strip().splitlines()
    assert [each["Name"][-4:] for each in json.loads(nearby)["d"]["results"]][:2] == ["8051", "8174"]
    assert "<m:count>" in feed
    assert json.loads(shop)["d"]["EntityID"] == "-8051"


@pytest.mark.slow
def test_no_row_of_the_demos_storage_holds_a_key(demo: Demo, folder: Path) -> None:
    command = "spatial-data-proxy keys add --account demo --name 'row reader' --generate"
    added = run_script(f". .venv/bin/activate && export PROXY_KEYRING_FILE={RING_FILE}\n{command}\n", folder).strip()
    tables = {}
    with TableServiceClient.from_connection_string(demo.connection_string) as service:
        for table in service.list_tables():
            with service.get_table_client(table.name) as client:
                tables[table.name] = repr(list(client.list_entities()))
    assert hash_key(added.encode()).hex() in tables["keys"]
    for key in (added, MASTER_KEY, QUERY_KEY):
        assert [name for name, rows in tables.items() if key in rows] == []


def test_the_samples_have_every_type_in_every_state(demo: Demo) -> None:
    jobs = fetch(f"{demo.base}/REST/v1/Dataflows/ListJobs?key=demo-query-key").json()["resourceSets"][0]["resources"]
    listed = {(job["description"], job["status"]) for job in jobs}
    types = {job_type.value for job_type in JobType if job_type is not JobType.DOWNLOAD}
    assert listed == {(name, status) for name in types for status in ("Pending", "Completed", "Aborted")}


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_each_key_of_the_demo_has_asked_for_something_on_the_day_before(folder: Path) -> None:
    listed = run_script(f"{COMMANDS} keys list --usage\n", folder)
    for name in ("demo master", "demo query"):
        (line,) = (line for line in listed.splitlines() if name in line)
        assert samples.DATA_SOURCE in line


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_the_sample_data_source_has_two_versions_and_a_load_that_failed(folder: Path) -> None:
    """An operator has something to roll back, to read and to try again."""
    commands = f"sources show {samples.DATA_SOURCE}", f"jobs list --data-source {samples.DATA_SOURCE}"
    source, *jobs = [
        json.loads(line) for command in commands for line in run_script(f"{COMMANDS} {command}\n", folder).splitlines()
    ]
    assert [version["State"] for version in source["Versions"]] == ["published", "earlier"]
    outcomes = {job["Description"]: (job["Status"], job["FailedEntityCount"]) for job in jobs if "Description" in job}
    assert [outcomes[load.description] for load in samples.LOADS[1:]] == [("Completed", 1), ("Aborted", 0)]


def test_the_worker_beside_the_demo_does_a_load(demo: Demo) -> None:
    header = "Id(Edm.String,primaryKey),Latitude(Edm.Double),Longitude(Edm.Double)"
    data = f"Bing Spatial Data Services, 1.0, Shops\n{header}\na,1,2\n".encode()
    query = "dataSourceName=DemoShops&loadOperation=complete&input=csv&key=demo-master-key"
    url = f"{demo.base}/REST/v1/Dataflows/LoadDataSource?{query}"
    created = httpx.post(url, content=data, timeout=QUIET_SECONDS, verify=NO_TLS)
    assert created.status_code == 201
    location = f"{created.headers['Location']}?key=demo-master-key"
    wait_for(lambda: '"status":"Pending"' not in fetch(location).text, QUIET_SECONDS)
    (job,) = fetch(location).json()["resourceSets"][0]["resources"]
    assert (job["status"], job["processedEntityCount"]) == ("Completed", 1)


def test_the_readmes_first_request_gets_the_answer_shown(demo: Demo, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine; the URLs are tested above")
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```console\n$ ")[1].split("```")[0]
    request, _, expected = shown.replace("http://127.0.0.1:8080", demo.base).partition("\n")
    assert masked(run_script(request, tmp_path)) == masked(expected)


def masked(answer: str) -> str:
    """An answer without the copyright, which the README cuts."""
    return re.sub('"__copyright":"[^"]*"', '"__copyright"', answer).rstrip()


@pytest.mark.slow
def test_the_guides_day_of_a_data_source_runs_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine; tests of the API and of the worker do the same by httpx")
    guide = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    script = block(guide.split("\n## A day of a data source\n")[1], "sh").replace("http://127.0.0.1:8080", demo.base)
    found = run_script(script, tmp_path)
    assert found.count("<?xml") == 2, found
    listed, updated, rolled_back = found.split("<?xml")
    assert listed == "1\n"
    assert "Fourth Coffee Ballard" in updated
    assert "Fourth Coffee Olympia" in updated
    assert "Tacoma" not in updated
    assert "Fourth Coffee, Seattle" in rolled_back
    assert "Tacoma" in rolled_back
    assert '"IsActive":"true"' in rolled_back.partition("</CoffeeShopData>")[2]
    assert rolled_back.endswith("202\n")
