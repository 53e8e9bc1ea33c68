"""Requests that mean harm, or that a broken client sends: an answer within two seconds, and never a 500."""

import json
import math
import time

import pytest

from tests.support.live import LiveServer
from tests.support.queries import AREAS, Queries

SECONDS = 2.0
"""Of this process's processor, in which the server runs; the slowest takes 0.2 s. A busy machine adds none."""
HUGE = 10**18
DIGITS = "9" * 1_000

LONG = {
    "conditions": "$filter=" + " or ".join(["Name eq 'x'"] * 2_500),
    "nested": "$filter=" + "(" * 10_000 + "1 eq 1" + ")" * 10_000,
    "nested once too often": "$filter=" + "(" * 101 + "1 eq 1" + ")" * 101,
    "not": "$filter=" + "not " * 10_000 + "1 eq 1",
    "open": "$filter=" + "(" * 50_000,
    "quotes": "$filter=Name eq " + "'" * 50_001,
    "ids": "$filter=entityId in (" + ",".join(f"'{number}'" for number in range(5_000)) + ")",
    "numbers": f"$filter=SeatingCapacity eq {DIGITS}",
    "exponents": "$filter=SeatingCapacity eq 1e999",
    "starts": "$filter=" + " or ".join(["startsWith(Name,'a')"] * 2_200),
    "names": "$select=" + ",".join(["Name"] * 10_000),
    "no names": "$select=" + "," * 60_000,
    "order": "$orderby=" + "Name," * 10_000,
    "top": f"$top={DIGITS}",
    "skip": f"$skip={HUGE}",
    "skip of many digits": f"$skip={DIGITS}",
    "state": "jsonp=cb&jsonso=" + "x" * 60_000,
    "callback": "jsonp=" + "a" * 60_000,
    "parameters": "&".join(f"a{number}=1" for number in range(8_000)),
    "bytes": "$filter=Name eq '%FF%FE%00%C3%28'",
    "lone surrogate": "$filter=Name eq '%ED%A0%80'",
    "zero byte": "$select=%00",
}


@pytest.mark.parametrize("name", LONG)
def test_a_hostile_parameter_is_answered_soon(name: str, shops: Queries) -> None:
    for request in (f"FourthCoffeeShops?{LONG[name]}", f"FourthCoffeeShops?{LONG[name]}&$format=json"):
        started = time.process_time()
        answer = shops.ask(request)
        assert answer.status in {200, 400}
        assert time.process_time() - started < SECONDS
        assert len(answer.body) < 500_000
    if answer.status == 400:  # the value is shown, cut
        assert len(json.loads(answer.body)["errorDetails"][0]) < 1_000


def ring(points: int) -> str:
    corners = (
        f"{9 * math.cos(turn):.2f} {9 * math.sin(turn):.2f}"
        for turn in (2 * math.pi * each / points for each in range(points))
    )
    closed = [*corners]
    return ",".join([*closed, closed[0]])


def star(points: int) -> str:
    """A ring whose edges nearly all cross each other."""
    corners = [
        f"{9 * math.cos(turn):.1f} {9 * math.sin(turn):.1f}"
        for turn in (2 * math.pi * each * (points // 2) / points for each in range(points))
    ]
    return ",".join([*corners, corners[0]])


SHAPES = {
    "many points": f"POLYGON(({ring(4_500)}))",
    "a star": f"POLYGON(({star(301)}))",
    "a large star": f"POLYGON(({star(4_501)}))",
    "a bow tie": "POLYGON((0 0,10 10,10 0,0 10,0 0))",
    "NaN": "POINT(NaN NaN)",
    "infinite": "POINT(inf 1)",
    "huge": "POLYGON((-1e308 -80,1e308 -80,1e308 80,-1e308 80,-1e308 -80))",
    "exponents": "POINT(1e999 1)",
    "nested": "GEOMETRYCOLLECTION(" * 3_000 + "POINT(1 1)" + ")" * 3_000,
    "points": "MULTIPOINT(" + ",".join(f"{each % 100} {each % 80}" for each in range(8_000)) + ")",
    "flat": "POLYGON((0 0,1 0,2 0,0 0))",
    "one point": "POLYGON((1 1,1 1,1 1,1 1))",
    "lines": "MULTILINESTRING(" + ",".join(f"({each % 90} 0,{each % 80} 9)" for each in range(3_000)) + ")",
    "no text": "\x00" * 10_000,
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_hostile_shape_is_answered_soon(name: str, served: LiveServer) -> None:
    queries = Queries(served, AREAS)
    shape = SHAPES[name].replace("\x00", "%00")
    for request in (
        f"Areas?spatialFilter=intersects('{shape}')&$format=json",
        f"Areas?$select=EntityID,intersection('{shape}')&$format=json",
    ):
        started = time.process_time()
        answer = queries.ask(request)
        assert answer.status in {200, 400}, answer.body
        assert time.process_time() - started < SECONDS
        json.loads(answer.body)


@pytest.mark.parametrize("points", [23_000, 90_000])
def test_a_shape_that_no_request_head_holds_is_refused_by_the_server(points: int, shops: Queries) -> None:
    """Of the limit of 64 KiB, not of the Query API: the shapes have 250 KB and a megabyte."""
    started = time.process_time()
    request = f"FourthCoffeeShops?spatialFilter=intersects('POLYGON(({ring(points)}))')"
    assert len(request) > 250_000
    assert shops.ask(request).status in {400, 414, 431}
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    "area",
    ["nearby(NaN,1,5)", "nearby(1,1,NaN)", "nearby(1,1,-0)", "nearby(1,1,inf)", "bbox(NaN,1,2,3)", "nearby(1e999,1,5)"],
)
def test_what_is_no_number_is_400(area: str, shops: Queries) -> None:
    assert "spatialFilter" in shops.refused(f"FourthCoffeeShops?spatialFilter={area}", 400)


def test_pages_beyond_the_end_are_empty(shops: Queries) -> None:
    for skip in (1_000, HUGE, DIGITS):
        found = shops.read(f"FourthCoffeeShops?$skip={skip}&$inlinecount=allpages&$format=json")
        assert found.ids == []
        assert found.count
