"""Clients that cut the JSON out of a script, or let a browser run it, each with what would break it."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.queries import Queries

NEAR = "spatialFilter=nearby(40.83275,-74.31633,5)"
V8_NAME = "Microsoft_Maps_Network_QueryAPI_2"
BOUNDS = "POLYGON((-179 -85,179 -85,179 85,-179 85,-179 -85))"


def text(shops: Queries, request: str) -> str:
    answer = shops.ask(request)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    return answer.body.decode("ascii")


def test_an_r_script_cuts_34_characters_and_the_last(shops: Queries) -> None:
    """It breaks on a blank, a comment or a semicolon around the call."""
    script = text(shops, f"FourthCoffeeShops?spatialFilter=bbox(40,-75,41,-74)&$top=300&$format=json&jsonp={V8_NAME}")
    assert json.loads(script[34:-1])["d"]["results"]


def test_php_crawlers_strip_the_call_by_a_pattern(shops: Queries) -> None:
    """They break on a semicolon, and on 195.75381599999997 or 1000 km being refused."""
    for kilometres in ("195.75381599999997", "1000"):
        area = f"spatialFilter=nearby(40.83275,-74.31633,{kilometres})"
        script = text(shops, f"FourthCoffeeShops?{area}&$top=51&Jsonp=displayResultStores&$format=json")
        found = re.sub(r"^displayResultStores\((.+)\)$", r"\1", script)
        assert json.loads(found)["d"]["results"]


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")  # of the escaped slashes
def test_a_python_client_decodes_the_escapes_of_the_text(shops: Queries) -> None:
    """It runs `unicode-escape` over the bytes, which tears UTF-8 apart, and quotes its coordinates."""
    answer = shops.ask("FourthCoffeeShops?spatialFilter=nearby(%2757.0,9.87%27,150)&$format=json")
    assert "Løven" in answer.body.decode("unicode-escape")


def test_a_dealer_locator_multiplies_distances_and_divides_counts(shops: Queries) -> None:
    """Ford's: it breaks where `Jsonp` is another name than `jsonp`, and where numbers are texts."""
    request = (
        "FourthCoffeeShops?spatialFilter=bbox(40,-75,41,-74)&$filter=AcceptsCoffeeCards%20Eq%20'1'%20OR%20Open%20Eq%20'1'"
        "&$select=*,__Distance&$inlinecount=allpages&$format=json&Jsonp=processDealerResults"
    )
    data = json.loads(text(shops, request).removeprefix("processDealerResults(")[:-1])["d"]
    assert -(-data["__count"] // 250) == 1
    assert all(each["__Distance"] * 1000 > 0 for each in data["results"])


@pytest.mark.parametrize("name", ["jQuery19105_1699", "angular.callbacks._0", "a[0].b", "$jsonp"])
def test_names_that_libraries_make_are_names(name: str, shops: Queries) -> None:
    """Names of jQuery and Angular: they break where only letters are allowed."""
    assert text(shops, f"FourthCoffeeShops?$top=1&$format=json&jsonp={name}&_=1699").startswith(f'{name}({{"d":')


def test_a_station_finder_sends_blanks_and_a_route(shops: Queries) -> None:
    """Phillips 66, through a library that escapes: it breaks on `_`; its route needs a service, else it gets a 400."""
    filter_ = "(StoreType eq 'Drive-Thru' or StoreType ne 'Drive-Thru')"
    rest = f"$filter={filter_}&$top=250&$format=json&jsonp=jQuery1_2&_=1699&key=query-key"
    for area, status in ((NEAR, 200), ("spatialFilter=nearRoute('40.8,-74.3','40.9,-74.2')", 400)):
        answer = shops.ask(f"FourthCoffeeShops?{area}&{rest}", None)
        assert answer.status == status
        assert answer.body.startswith(b"jQuery1_2({")


def run_script(script: str, program: str) -> Any:
    """Runs a script as a page does, with a program that defines its function."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js")
    ran = subprocess.run([node, "-e", f"{program}\n{script}"], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ran.stdout)


def test_the_v8_control_runs_the_script(shops: Queries) -> None:
    """It sends the map's bounds, the world included, and `*,__Distance` always: it breaks where one is refused."""
    request = f"FourthCoffeeShops?$select=*,__Distance&$format=json&$inlinecount=allpages&$skip=20&jsonp={V8_NAME}"
    program = f"""function {V8_NAME}(response) {{
        const found = response.d.results;
        console.log(JSON.stringify([found.length, 20 < response.d.__count, typeof found[0].Latitude,
            typeof found[0].__Distance, "__Distance" in found[0]]));
    }}"""
    script = text(shops, f"{request}&spatialFilter=intersects('{BOUNDS}')")
    assert run_script(script, program) == [3, True, "number", "undefined", False]
    near = text(shops, f"{request.replace('20', '0')}&{NEAR}")
    assert run_script(near, program)[2:] == ["number", "number", True]


def test_the_function_gets_the_state_beside(shops: Queries) -> None:
    """A page that passes `jsonso` gets it as it was, quotes and all."""
    state = 'it\'s "quoted" </script> \\ \u2028'
    script = text(shops, f"FourthCoffeeShops?$top=1&$format=json&jsonp=cb&jsonso={state}".replace("\\", "%5C"))
    assert "\u2028" not in script
    assert run_script(script, "function cb(data, state) { console.log(JSON.stringify(state)); }") == state
