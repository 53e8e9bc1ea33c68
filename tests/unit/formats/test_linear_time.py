"""Whatever a stranger sends, reading it takes linear time: each regular expression, and whole loads.

The first test finds all expressions of the package by itself, pumps each of their repetitions and compares two sizes.
"""

import ast
import contextlib
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]  # the parser's own names
from re import _parser as parser  # type: ignore[attr-defined]  # what an expression consists of
from typing import Any

import pytest

import proxy.formats
from proxy.formats.schema import EdmType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.xml.fast_path import regular_entity
from tests.unit.formats.loading import HEAD, PLACE, csv_of, load

MODULES = [
    importlib.import_module(module.name) for module in pkgutil.walk_packages(proxy.formats.__path__, "proxy.formats.")
]
FILLERS = (*" \t\n0a\",|()<[-.;'", '""', "1,", "1 ", '",', ',"', "()", "a ", "-1", "0.", "\u00a0", "[[", "<a", "&amp;")
ENDS = ("", "\0", "x", '"x', "\u20ac")
SIZES = (200, 800, 3_200)
ATTEMPTS = 3
WORTH_MEASURING = 1e-3
"""Seconds: less than this is lost in what the machine does beside."""
MOST = 9.0
"""Times as long for four times as much: linear is 4, quadratic 16."""


def patterns() -> list[tuple[str, re.Pattern[Any]]]:
    found: dict[str, re.Pattern[Any]] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            for path, pattern in _inside(value, name):
                found[f"{module.__name__.rpartition('.')[2]}.{path}"] = pattern
    declared = DeclaredSchema("Shops", (Property("EntityID", EdmType.STRING), Property("Name", EdmType.STRING)), ())
    found["fast_path.regular_entity()"] = regular_entity(declared)
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


def seconds(use: Callable[[Any], object], text: Any, rounds: int = 1) -> float:
    """The processor's time, the best of some rounds: what others do on the machine counts little."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        use(text)
        taken.append(time.process_time() - started)
    return min(taken)


def is_linear(use: Callable[[Any], object], make: Callable[[int], Any], sizes: tuple[int, ...] = SIZES) -> bool:
    """Whether four times as much takes about four times as long, at sizes where that can be measured."""
    for smaller, larger in itertools.pairwise(sizes):
        if seconds(use, make(larger)) < WORTH_MEASURING:
            continue
        for _ in range(ATTEMPTS):
            before, after = seconds(use, make(smaller), 3), seconds(use, make(larger), 3)
            if after <= max(WORTH_MEASURING, MOST * before):
                break
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
    known = {("fast_path", "regular_entity"), ("grammar", "_grammar")}
    assert made_by_functions == known


def try_load(data: bytes) -> None:
    with contextlib.suppress(InvalidDataError):
        load(data, "csv")


FIVE = (
    f"{PLACE},EntityID(Edm.String,primaryKey),Name(Edm.String),Size(Edm.Double),Since(Edm.DateTime),Spot(Edm.Geography)"
)
LOADS: dict[str, Callable[[int], bytes]] = {
    "blanks in line 1": lambda size: HEAD.strip() + b" " * size + b'""\n',
    "quotes in line 1": lambda size: HEAD.strip() + b'"' * size,
    "blanks in line 2": lambda size: HEAD + b"EntityID" + b" " * size + b"(Edm.String,primaryKey)",
    "brackets in line 2": lambda size: HEAD + b"EntityID(" * (size // 9),
    "blank lines": lambda size: csv_of(FIVE) + b"\n" * size + b"1,2,3",
    "lines of separators": lambda size: csv_of(FIVE) + b" ,,\r" * (size // 4) + b"1,2,3",
    "blanks without an end": lambda size: csv_of(FIVE) + b" " * size,
    "quotes that nothing closes": lambda size: csv_of(FIVE) + b'1,2,a,"Corner\n' * (size // 14),
    "one quote that nothing closes": lambda size: csv_of(FIVE) + b'1,2,a,"Corner\n' + b"1,2,a,n\n" * (size // 8),
    "odd runs of quotes": lambda size: csv_of(FIVE) + b'1,2,a,"""x,""y\n' * (size // 15),
    "doubled quotes": lambda size: csv_of(FIVE) + b'1,2,a,"' + b'""' * (size // 2) + b'x\n1,2,b,"""\n',
    "quoted line ends": lambda size: csv_of(FIVE) + b'1,2,a,"' + b"\n" * size + b'",1,\n',
    "one line of values": lambda size: csv_of(FIVE) + b'"",' * (size // 3) + b"\n",
    "digits of a double": lambda size: csv_of(FIVE) + b"1,2,a,n," + b"1" * size + b"x\n",
    "digits of a coordinate": lambda size: csv_of(FIVE) + b"1,2,a,n,,,POINT (" + b"1" * size + b"x 1)\n",
    "blanks of a date": lambda size: csv_of(FIVE) + b"1,2,a,n,,8/22/2011" + b" " * size + b"x\n",
    "brackets of a geography": lambda size: csv_of(FIVE) + b"1,2,a,n,,," + b"(" * size + b")" * size + b"\n",
    "words of a geography": lambda size: csv_of(FIVE) + b"1,2,a,n,,," + b"POINT M " * (size // 8) + b"\n",
    "points of a dialect": lambda size: csv_of(FIVE) + b'1,2,a,n,,,"MULTIPOINT(' + b"1 2 NULL," * (size // 9) + b'"\n',
}


@pytest.mark.parametrize("name", [*LOADS])
def test_a_load_takes_linear_time_on_any_text(name: str) -> None:
    assert is_linear(try_load, LOADS[name], sizes=(30_000, 120_000, 480_000))
