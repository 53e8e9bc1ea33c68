"""Untrusted files take linear time: each regular expression, and whole loads.

The first test finds all expressions of the package by itself, pumps each of their repetitions and compares two sizes.
"""

import ast
import contextlib
import importlib
import itertools
import pkgutil
import re
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]  # the parser's own names
from re import _parser as parser  # type: ignore[attr-defined]  # what an expression consists of
from typing import Any

import pytest

import proxy.formats
from proxy.formats.schema import InvalidDataError
from tests.support.processor_time import measure
from tests.unit.formats.loading import HEAD, PLACE, csv_of, load, xml_of, zipped
from tests.unit.formats.shapefiles import NAME, dbf, packed, points, several, shp
from tests.unit.formats.test_kml import data, extended, kml, placemark

MODULES = [
    importlib.import_module(module.name) for module in pkgutil.walk_packages(proxy.formats.__path__, "proxy.formats.")
]
FILLERS = (*" \t\n0a\",|()<[-.;'", '""', "1,", "1 ", '",', ',"', "()", "a ", "-1", "0.", "\u00a0", "[[", "<a", "&amp;")
ENDS = ("", "\0", "x", '"x', "\u20ac")
SIZES = (200, 800, 3_200)
ATTEMPTS = 20
GROWTH = 4
MEASURABLE = 1e-3  # seconds; less is lost in the noise of a busy machine
MAX_RATIO = 9.0  # times as long for GROWTH times as much: linear is 4, quadratic 16


def patterns() -> list[tuple[str, re.Pattern[Any]]]:
    found: dict[str, re.Pattern[Any]] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            for path, pattern in _inside(value, name):
                found[f"{module.__name__.rpartition('.')[2]}.{path}"] = pattern
    return sorted(found.items())


def _inside(value: object, path: str, depth: int = 0) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The expressions in a value of a module: alone, in a container, or in an object of the package."""
    if isinstance(value, re.Pattern):
        yield path, value
    elif depth < 3 and isinstance(value, dict):
        for key, one in value.items():
            yield from _inside(one, f"{path}[{key!r}]", depth + 1)
    elif depth < 3 and isinstance(value, tuple | list | set | frozenset):
        for place, one in enumerate(value):
            yield from _inside(one, f"{path}[{place}]", depth + 1)
    elif depth < 3 and type(value).__module__.startswith("proxy.formats"):
        for name in getattr(type(value), "__slots__", ()) or vars(value):
            yield from _inside(getattr(value, name, None), f"{path}.{name}", depth + 1)


def prefixes(pattern: re.Pattern[Any]) -> set[str]:
    """Texts that lead to each of a pattern's repetitions: what stands before them, made of one example of each part."""
    text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    found = {""}
    _walk(parser.parse(text, pattern.flags & ~re.UNICODE), "", found)
    return found


def _walk(parts: Any, before: str, found: set[str]) -> str:
    """Adds a prefix for each repetition in `parts`; gives an example of a text that they match."""
    example = ""
    for kind, value in parts:
        if kind in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
            found.add(before + example)
            inner = _walk(value[2], before + example, found)
            example += inner * max(1, value[0])
        elif kind is constants.SUBPATTERN:
            example += _walk(value[3], before + example, found)
        elif kind is constants.ATOMIC_GROUP:
            example += _walk(value, before + example, found)
        elif kind is constants.BRANCH:
            branches = [_walk(branch, before + example, found) for branch in value[1]]
            example += branches[0]
        elif kind is constants.LITERAL:
            example += chr(value)
        elif kind is constants.IN:
            example += _member(value)
    return example


def _member(members: Any) -> str:
    kind, value = members[0]
    if kind is constants.LITERAL:
        return chr(value)
    if kind is constants.RANGE:
        return chr(value[0])
    if kind is constants.CATEGORY:
        return {constants.CATEGORY_SPACE: " ", constants.CATEGORY_DIGIT: "0"}.get(value, "a")
    return "a"


def uses(name: str, pattern: re.Pattern[Any]) -> list[Callable[[Any], object]]:
    """The methods of a pattern that the package calls; all where it can't be seen."""
    sources = "".join(Path(str(module.__file__)).read_text() for module in MODULES)
    last = re.escape(name.rpartition(".")[2].partition("[")[0])
    called = set(re.findall(rf"\b{last}\.(match|fullmatch|search|sub|findall|finditer|split)\(", sources))
    methods = called or {"match", "fullmatch"}
    return [getattr(pattern, "findall" if method in {"sub", "finditer", "split"} else method) for method in methods]


def is_linear(use: Callable[[Any], object], make: Callable[[int], Any], sizes: tuple[int, ...] = SIZES) -> bool:
    """Whether four times as much takes about four times as long, at sizes where that can be measured.

    Both sizes are done in turn until they say so; of each, the quickest counts.
    """
    for smaller, larger in itertools.pairwise(sizes):
        less, more = make(smaller), make(larger)
        before, after = float("inf"), measure(partial(use, more))
        for _ in range(ATTEMPTS):
            if after <= MEASURABLE:
                break
            before = min(before, *(measure(partial(use, less)) for _ in range(3)))
            if after <= MAX_RATIO * before:
                break
            after = min(after, measure(partial(use, more)))
        else:
            return False
    return True


def slow_text(pattern: re.Pattern[Any], used: list[Callable[[Any], object]]) -> tuple[str, str, str] | None:
    """Prefix, filler and end of a text that takes more than linear time; None if none of those tried does."""
    begun = prefixes(pattern)
    # What stands before a repetition may be one's filler: a search begins at each of them.
    for prefix, filler, end in itertools.product(begun, (*FILLERS, *filter(None, begun)), ENDS):

        def make(size: int, prefix: str = prefix, filler: str = filler, end: str = end) -> Any:
            text = prefix + filler * (size // len(filler)) + end
            return text.encode() if isinstance(pattern.pattern, bytes) else text

        if not all(is_linear(use, make) for use in used):
            return prefix, filler, end
    return None


@pytest.mark.parametrize(("name", "pattern"), patterns(), ids=[name for name, _ in patterns()])
def test_an_expression_takes_linear_time_on_any_text(name: str, pattern: re.Pattern[Any]) -> None:
    assert slow_text(pattern, uses(name, pattern)) is None


@pytest.mark.parametrize("written", [r"a\s*\s*b", r"[0-9]+\.?[0-9]*x", r"schema[^<>]*>"])
def test_a_slow_expression_is_found(written: str) -> None:
    pattern = re.compile(written)
    assert slow_text(pattern, [pattern.search]) is not None


def test_no_function_makes_an_expression_of_its_own() -> None:
    made_by_functions = {
        (module.__name__.rpartition(".")[2], function.name)
        for module in MODULES
        for function in ast.walk(ast.parse(Path(str(module.__file__)).read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "re"
        and call.func.attr != "escape"
    }
    known = {("grammar", "_grammar")}
    assert made_by_functions == known


ROWS = csv_of(
    f"{PLACE},EntityID(Edm.String,primaryKey),Name(Edm.String),Size(Edm.Double),Since(Edm.DateTime),Spot(Edm.Geography)"
)
# The start of a CSV file, what it repeats, and its end.
CSV: dict[str, tuple[bytes, bytes, bytes]] = {
    "blanks in line 1": (HEAD.strip(), b" ", b'""\n'),
    "quotes in line 1": (HEAD.strip(), b'"', b""),
    "blanks in line 2": (HEAD + b"EntityID", b" ", b"(Edm.String,primaryKey)"),
    "brackets in line 2": (HEAD, b"EntityID(", b""),
    "blank lines": (ROWS, b"\n", b"1,2,3"),
    "lines of separators": (ROWS, b" ,,\r", b"1,2,3"),
    "blanks without an end": (ROWS, b" ", b""),
    "quotes that nothing closes": (ROWS, b'1,2,a,"Corner\n', b""),
    "one quote that nothing closes": (ROWS + b'1,2,a,"Corner\n', b"1,2,a,n\n", b""),
    "odd runs of quotes": (ROWS, b'1,2,a,"""x,""y\n', b""),
    "doubled quotes": (ROWS + b'1,2,a,"', b'""', b'x\n1,2,b,"""\n'),
    "quoted line ends": (ROWS + b'1,2,a,"', b"\n", b'",1,\n'),
    "quoted lines in an open row": (ROWS, b'"\n",', b'"x'),
    "one line of values": (ROWS, b'"",', b"\n"),
    "digits of a double": (ROWS + b"1,2,a,n,", b"1", b"x\n"),
    "digits of a coordinate": (ROWS + b"1,2,a,n,,,POINT (", b"1", b"x 1)\n"),
    "blanks of a date": (ROWS + b"1,2,a,n,,8/22/2011", b" ", b"x\n"),
    "brackets of a geography": (ROWS + b"1,2,a,n,,,", b"(", b")\n"),
    "words of a geography": (ROWS + b"1,2,a,n,,,", b"POINT M ", b"\n"),
    "points of a dialect": (ROWS + b'1,2,a,n,,,"MULTIPOINT(', b"1 2 NULL,", b'"\n'),
}
TABLE = dbf([NAME], [[b"a"]])
NULL = struct.pack("<i", 0)


def line_of(coordinates: str) -> bytes:
    return kml(placemark(), placemark(geometry=f"<LineString><coordinates>{coordinates}</coordinates></LineString>"))


def holes(count: int) -> bytes:
    ring = [(-90.0, -90.0), (-90.0, 90.0), (90.0, 90.0), (90.0, -90.0), (-90.0, -90.0)]
    small = [(x / 100 + at / count, y / 100) for at in range(count) for x, y in ring[::-1]]
    return shp(several(5, [*ring, *small], range(0, 5 * count + 5, 5)), kind=5)


# A form of input, a size, and a file of that size that once took time with its square, or might.
MARKUP_AND_MAPS: dict[str, tuple[str, int, Callable[[int], bytes]]] = {
    "schema without an end": ("xml", 30_000, lambda size: b"<Data><!--" + b"schema" * size),
    "schemas in comments": ("xml", 5_000, lambda size: b"<Data>" + b"<!-- xs:schema> -->" * size),
    "attributes of the schema": (
        "xml",
        5_000,
        lambda size: b"<Data><a " + b" ".join(b'x%d="schema"' % at for at in range(size)),
    ),
    "declaration": ("xml", 20_000, lambda size: b"<?xml " + b"encoding " * size),  # above, the bound of 8 MB holds
    "comment over pieces": ("xml", 500_000, lambda size: xml_of(f"<!-- {'-' * 3 * size}")),
    "text over pieces": ("xml", 100_000, lambda size: xml_of(f"<Shops><EntityID>{'&amp; </' * size}")),
    "wrappers": ("xml", 3_000, lambda size: xml_of("<A>" + "<B/>" * size + "<Shops/></A>")),
    "an unfinished comment full of entities": (
        "xml",
        100_000,
        lambda size: xml_of(f"<!-- {'</Shops>' * size} --", "Name:string"),
    ),
    "blanks within an entity": (
        "xml",
        20_000,
        lambda size: xml_of(
            f"<Shops><EntityID>1</EntityID>{' ' * size}<P299>x</P299></Shops>", *(f"P{at}:string" for at in range(300))
        ),
    ),
    "blanks between entities": ("xml", 500_000, lambda size: xml_of("<Shops/>" + " " * size + "<Shops/>")),
    "digits of a coordinate": ("kml", 200_000, lambda size: line_of("1" * size + "x")),
    "digits of coordinates": ("kml", 200, lambda size: line_of(f"{'1' * 400}x," * size)),
    "blanks in coordinates": ("kml", 200_000, lambda size: line_of(" " * size)),
    "blanks and commas": ("kml", 50_000, lambda size: line_of("1 , 2 " * size)),
    "commas": ("kml", 200_000, lambda size: line_of("," * size)),
    "points": ("kml", 20_000, lambda size: line_of("1,2 3,4 " * size)),
    "one id": ("kml", 500, lambda size: kml(*[placemark(id_=' id="pin"')] * size)),
    "ids that end alike": (
        "kml",
        500,
        lambda size: kml(*(placemark(id_=f' id="{"i" * 60}{at}"') for at in range(size))),
    ),
    "ids that look numbered": (
        "kml",
        300,
        lambda size: kml(
            *(placemark(id_=f' id="pin_{at}"') for at in range(size)), *[placemark(id_=' id="pin"')] * size
        ),
    ),
    "names of data": ("kml", 5_000, lambda size: kml(placemark(extended(data("n", "") * size)))),
    "empty elements": ("kml", 20_000, lambda size: kml(placemark(), "<a/>" * size)),
    "blank lines": ("kml", 1_000_000, lambda size: kml(placemark(), "\n" * size)),
    "records without a shape": ("shp", 5_000, lambda size: packed(shp(*[NULL] * size), TABLE)),
    "holes": ("shp", 500, lambda size: packed(holes(size), TABLE)),
    "fields": ("shp", 500, lambda size: packed(points(1), dbf([("F", "L", 1, 0)] * size, []))),
    "projection": (
        "shp",
        10_000,
        lambda size: packed(points(1), TABLE, prj=b'DATUM [ "UNIT( PROJ' * size),
    ),
    "names in a ZIP file": ("kml", 2_000, lambda size: zipped(*((f"{at}.png", b"") for at in range(size)))),
}


def try_load(form: str, data: bytes) -> None:
    with contextlib.suppress(InvalidDataError):
        load(data, form)


@pytest.mark.parametrize("kind", CSV)
def test_a_load_of_text_takes_linear_time(kind: str) -> None:
    start, filler, end = CSV[kind]

    def make(size: int) -> bytes:
        return start + filler * (size // len(filler)) + end

    assert is_linear(lambda data: try_load("csv", data), make, sizes=(60_000, GROWTH * 60_000))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MARKUP_AND_MAPS)
def test_a_load_of_markup_or_maps_takes_linear_time(kind: str) -> None:
    form, size, make = MARKUP_AND_MAPS[kind]
    assert is_linear(lambda data: try_load(form, data), make, sizes=(size, GROWTH * size))
