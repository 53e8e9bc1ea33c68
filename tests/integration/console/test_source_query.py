"""The query form: the request as a command, and the answer of the API."""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from proxy.operations.entity_answers import YOUR_KEY
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.live import QUERY
from tests.support.queries import BASE, SHOPS, load_samples, start_querying, stores
from tests.support.queries import load as load_data
from tests.support.source_pages import assert_small, base, links, load_versions, problem
from tests.support.storage import Storage

REQUESTS = [
    "$format=json",
    "$format=atom",
    "$format=json&area=nearby&latitude=27.9&longitude=-82.7&km=10&$select=*,__Distance&$orderby=__Distance desc&$top=3",
    "$format=atom&area=bbox&south=27&west=-83&north=28&east=-82&$skip=2",
    "$format=json&area=intersects&shape=POLYGON((-82.8 27.8,-82.6 27.8,-82.6 28,-82.8 28,-82.8 27.8))",
    "$format=json&area=other&spatialFilter=bbox(27,-83,28,-82)&$top=0",
    "$format=json&$filter=PrimaryCity eq 'Clearwater' or PrimaryCity eq 'O''Neil <b>'",
]


@pytest.fixture
def form(storage: Storage, open_console: StartConsole) -> tuple[LiveConsole, str]:
    """A console with a public URL, and the path of the form of the contract's coffee shops."""
    load_samples(storage)
    return open_console(storage, public_url=BASE), f"{base(storage, SHOPS)}/query"


def texts(console: LiveConsole, path: str) -> tuple[str, str]:
    """The command and the answer of a page."""
    command, answer = console.page(path).xpath("//pre/text()")
    return str(command), str(answer)


def parameters(command: str) -> tuple[str, list[tuple[str, str]]]:
    """The URL and the parameters that a shell gives to curl."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    words = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]
    assert words[0] == "--get"
    assert words[2::2] == ["--data-urlencode"] * len(words[3::2])
    pairs = [word.partition("=") for word in words[3::2]]
    return words[1], [(name, value) for name, _, value in pairs]


@pytest.mark.parametrize("query", REQUESTS)
def test_the_answer_is_that_of_the_api_to_the_command(
    storage: Storage, form: tuple[LiveConsole, str], tmp_path: Path, query: str
) -> None:
    console, path = form
    command, answer = texts(console, f"{path}?{quote(query, safe='=&$')}")
    url, given = parameters(command)
    assert url.startswith(f"{BASE}/REST/v1/data/")
    assert given[-1] == ("key", YOUR_KEY)
    with start_querying(storage, tmp_path) as server:
        response = httpx.get(server.url + urlsplit(url).path, params=[*given[:-1], ("key", QUERY)], timeout=60)
    assert response.status_code == 200, response.text
    if "$format=json" in query:
        assert answer == json.dumps(response.json(), indent=2, ensure_ascii=False)
    else:
        assert _without_moments(answer) == _without_moments(response.text)
    size = f"{len(response.content):,} bytes"
    assert size in console.text(f"{path}?{quote(query, safe='=&$')}")


def _without_moments(feed: str) -> str:
    """A feed without what each answer has of its own."""
    return re.sub(r"<updated>[^<]*</updated>|uuid:[0-9a-f-]*", "", feed)


@pytest.mark.parametrize(
    "value",
    ["'; rm -rf / #", "$(id)", "`id`", '"', "\\", "a\nb", "@/etc/passwd", "%27", "é€😀", "<script>", "-o x", "!!"],
)
def test_a_shell_gets_hostile_values_as_they_are(form: tuple[LiveConsole, str], value: str) -> None:
    console, path = form
    text = quote(value, safe="")
    page = console.page(f"{path}?area=other&spatialFilter={text}&$filter={text}&$format=json")
    _, given = parameters(str(page.xpath("//pre/text()")[0]))
    assert dict(given)["spatialFilter"] == value.strip()
    assert dict(given)["$filter"] == value.strip()
    assert problem(page).startswith("The parameter")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("$filter=Nope eq 1", "The parameter $filter names 'Nope'"),
        ("$top=-1", "The parameter $top has '-1'"),
        ("$skip=x", "The parameter $skip has 'x'"),
        ("$select=Nope", "The parameter $select"),
        ("$orderby=__Distance", "The parameter $orderby"),
        ("area=nearby&latitude=x&longitude=1&km=1", "The parameter spatialFilter has 'x'"),
        ("isStaging=true", "The data source FourthCoffeeSample has no staged version."),
        ("area=other&spatialFilter=nearby('Berlin',5)", "The area has an address or a route, which a map service"),
        ("area=nearby&latitude='Berlin'&longitude=5)&km=", "The parameter spatialFilter"),
    ],
)
def test_what_the_engine_refuses_is_its_sentence_beside_the_form(
    form: tuple[LiveConsole, str], query: str, sentence: str
) -> None:
    console, path = form
    page = console.page(f"{path}?$format=json&{query}")
    assert problem(page).startswith(sentence)
    assert page.xpath("//form//select[@name='area']")
    assert "Answer" not in page.text_content()


def test_a_format_that_is_none_is_refused(form: tuple[LiveConsole, str]) -> None:
    console, path = form
    assert problem(console.page(f"{path}?$format=pdf")).startswith("The parameter $format has 'pdf'.")


def test_nothing_runs_before_the_form_is_sent(form: tuple[LiveConsole, str]) -> None:
    console, path = form
    page = console.page(path)
    assert len(page.xpath("//pre")) == 1
    assert f"key={YOUR_KEY}" in page.text_content()


def test_the_staged_version_is_queried_as_the_api_does(storage: Storage, console: LiveConsole) -> None:
    load_versions(storage)
    command, answer = texts(console, f"{base(storage)}/query?$format=json&isStaging=true")
    assert [each["Id"] for each in json.loads(answer)["d"]["results"]] == ["e"]
    assert "isStaging=true" in command
    assert "PROXY_PUBLIC_URL is not set" in console.text(f"{base(storage)}/query")


def test_a_long_answer_is_cut_with_a_word(storage: Storage, console: LiveConsole) -> None:
    load_data(storage, stores(*(f"s{at:03d}" for at in range(250)), note="'\"<&>" * 300), "Shops")
    for form in ("json", "atom"):
        text = assert_small(console, f"{base(storage)}/query?$format={form}&$top=250")
        assert "this is the begin of it" in text
    text = assert_small(console, f"{base(storage)}/query?$format=json&$filter={quote('<' * 6000)}&area=other")
    assert "(cut)" in text


def test_the_area_of_the_form_leads_to_the_map(form: tuple[LiveConsole, str]) -> None:
    console, path = form
    page = console.page(f"{path}?$format=json&area=nearby&latitude=27.9&longitude=-82.7&km=10")
    (link,) = links(page, "Show the area on the map")
    assert console.page(link).xpath("//*[@class='query']/@d")
