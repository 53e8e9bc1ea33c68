"""Query requests that clients send, broken ones, and random ones of the grammar: the same for each seed."""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks.fuzz.mutations import ODD

VECTORS = Path(__file__).parents[2] / "tests/unit/query/data/vectors.json"

_TOKEN = re.compile(r"[-+]?\d[\d.eE]*|[A-Za-z_$]+|[^\w\s]")
_NUMBERS = ("0", "-0", "1", "25", "250", "251", "90", "-90.0000001", "180", "1e-7", "1e400", "NaN", "Infinity", "-1")
_LONG_NUMBERS = (
    str(2**63),
    str(-(2**63) - 1),
    str(10**18),
    "9" * 400,
    "0." + "3" * 300,
    "1e-400",
    "0x1F",
    "+5",
    ".5",
    "5.",
)
_OPERATORS = (*("eq", "ne", "gt", "ge", "lt", "le", "Eq") * 3, "IN", "mod", "=")
_TEXTS = ("'x'", "''", "'O''Brien'", "'%'", "'\u00c4'", "'\U0001f600'", "null", "true", "datetime'2010-11-03T23:31:36'")
_SHAPES = (
    "POINT",
    "MULTIPOINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
    "CURVEPOLYGON",
    "TRIANGLE",
)
_IDS = ("-5", "-199999", "0", "a''b", "%", "x" * 300, "")
_TRUTHS = ("true", "0", "'1'", "yes")
_IN_PATHS = "()',"
_CALLBACKS = ("cb", "a.b[0]", "$", "alert(1)", "<script>", "x" * 129, "\u00e4", "", "a b", "cb;")
_OPTIONS = (
    "$filter",
    "spatialFilter",
    "$select",
    "$orderby",
    "$top",
    "$skip",
    "$inlinecount",
    "$format",
    "jsonp",
    "jsonso",
)
_MORE_OPTIONS = ("isStaging", "format", "o", "output", "avoid", "heading", "travelMode", "optimize", "dbft", "x")


@dataclass(frozen=True)
class DataSourceToFuzz:
    """A data source that is loaded, by the names in its URL, and the names of its properties."""

    path: str
    entity_type: str
    properties: tuple[str, ...]


class Generator:
    """Makes requests: what follows the access id in a URL, percent-encoded, without the key."""

    def __init__(self, seed: int, sources: list[DataSourceToFuzz], samples: dict[str, str]) -> None:
        """`samples` are the paths of the data sources of the contract's vectors, by their entity types."""
        self._dice = random.Random(seed)  # noqa: S311 - the same on each run is the point
        self._sources = sources
        texts = [
            each["request"].replace("key={key}", "x=1") for each in json.loads(VECTORS.read_text(encoding="utf-8"))
        ]
        self._seeds = [(path, text) for text in texts for name, path in samples.items() if text.startswith(name)]

    def next(self) -> tuple[str, str]:
        """The kind of the next request, and its target."""
        kind = self._dice.choices(["mutated", "random", "random, mutated", "encoded"], [4, 4, 2, 1])[0]
        path, text = self._dice.choice(self._seeds)
        if kind.startswith("random"):
            source = self._dice.choice(self._sources)
            path, text = source.path, self._make(source)
        if kind.endswith("mutated"):
            for _ in range(self._dice.choice([1, 1, 2, 3, 8])):
                text = self._mutate(text)
        entity, mark, query = text.partition("?")
        query = self._encode(query, odd=kind == "encoded")
        return kind, f"{path}/{quote(entity, safe=_IN_PATHS, errors='surrogatepass')}{mark}{query}"

    def _mutate(self, text: str) -> str:
        dice = self._dice
        tokens = [each.span() for each in _TOKEN.finditer(text)]
        start, end = dice.choice(tokens) if tokens else (0, 0)
        odd = dice.choice(ODD).decode("utf-8", "surrogatepass")
        other = dice.choice(self._seeds)[1]
        place = dice.randrange(len(text) + 1)
        return dice.choice(
            (
                text[:start] + text[end:],
                text[:start] + odd + text[end:],
                text[:start] + dice.choice(_NUMBERS + _LONG_NUMBERS) + text[end:],
                text[:end] + text[start:end] * dice.choice([1, 2, 50]) + text[end:],
                text[:place] + odd + text[place:],
                text[:place] + other[dice.randrange(len(other)) :],
                text[:place] + chr(dice.choice([0, 9, 10, 39, 40, 41, 44, 127, 0xE9, 0xD800, 0x1F600])) + text[place:],
                text[:place] + text[place + 1 :],
                text[:place],
                text.swapcase(),
                f"{text}&{self._option()}",
            )
        )

    def _make(self, source: DataSourceToFuzz) -> str:
        """A request of the grammar, mostly with sound parts."""
        dice = self._dice
        if dice.random() < 0.1:
            return f"{source.entity_type}('{dice.choice(_IDS)}')?{self._option()}"
        parts = []
        if dice.random() < 0.6:
            parts.append(f"spatialFilter={self._area()}")
        if dice.random() < 0.6:
            parts.append(f"$filter={self._filter(source, dice.choice([0, 1, 2, 3]))}")
        if dice.random() < 0.3:
            parts.append(f"$orderby={','.join(dice.choices(source.properties, k=dice.choice([1, 2, 3, 4])))}")
        if dice.random() < 0.3:
            names = dice.choices([*source.properties, "*", "__Distance", f"intersection('{self._shape()}')"], k=3)
            parts.append(f"$select={','.join(names)}")
        parts += [f"$top={dice.choice(['1', '25', '250'])}", *([self._option()] if dice.random() < 0.3 else [])]
        return f"{source.entity_type}?{'&'.join(parts)}"

    def _option(self) -> str:
        dice = self._dice
        name = dice.choice(_OPTIONS + _MORE_OPTIONS)
        if name == "jsonp":
            return f"jsonp={dice.choice(_CALLBACKS)}&jsonso={dice.choice(_CALLBACKS)}"
        values = (
            *_NUMBERS,
            *_LONG_NUMBERS,
            "json",
            "xml",
            "atom",
            "allpages",
            "none",
            "*",
            "__Distance",
            "EntityID",
            "",
        )
        return f"{name}={dice.choice(values)}"

    def _area(self) -> str:
        dice = self._dice
        name = dice.choice(["nearby", "nearby", "bbox", "intersects", "intersects", "nearRoute", "NEARBY"])
        if name == "intersects":
            return f"intersects('{self._shape()}')"
        count = {"bbox": 4, "nearRoute": 2}.get(name, 3)
        return f"{name}({','.join(self._number(each % 2) for each in range(count))})"

    def _shape(self) -> str:
        dice = self._dice
        name = dice.choice(_SHAPES)
        points = [f"{self._number(1)} {self._number(0)}" for _ in range(dice.choice([1, 2, 3, 5, 30]))]
        if dice.random() < 0.8:
            points.append(points[0])
        brackets = {"POINT": 1, "LINESTRING": 1, "MULTIPOINT": 1, "MULTIPOLYGON": 3}.get(name, 2)
        if name == "POINT":
            points = points[:1]
        return f"{name} {'(' * brackets}{','.join(points)}{')' * brackets}"

    def _number(self, axis: int) -> str:
        """Mostly a latitude (axis 0) or a longitude (1) of the United States; kilometres, too."""
        dice = self._dice
        odd = dice.random() < 0.03
        return dice.choice(_NUMBERS + _LONG_NUMBERS) if odd else f"{dice.uniform(*((25, 49), (-125, -70))[axis]):.5f}"

    def _filter(self, source: DataSourceToFuzz, depth: int) -> str:
        dice = self._dice
        if depth:
            word = dice.choice(["and", "or", "AND"])
            text = f"{self._filter(source, depth - 1)} {word} {self._filter(source, depth - 1)}"
            return dice.choice([text, f"({text})", f"not ({text})", f"({text}) eq true"])
        name, value = (
            dice.choice(source.properties),
            dice.choice((*_TEXTS, *_NUMBERS, *_LONG_NUMBERS, "Open", "'brand 3'")),
        )
        return dice.choice(
            (
                f"{name} {dice.choice(_OPERATORS)} {value}",
                f"{value} {dice.choice(_OPERATORS)} {name}",
                f"startswith({name},{value}) eq {dice.choice(_TRUTHS)}",
                f"endsWith({name}, {value})",
                f"{name} in ({','.join(dice.choices(_TEXTS, k=dice.choice([1, 3, 200])))})",
                name,
            )
        )

    def _encode(self, query: str, *, odd: bool) -> str:
        """Percent-encodes what a request line can't hold, and at random more, or wrongly."""
        dice = self._dice
        data = query.encode("utf-8", "surrogatepass")
        if not odd:
            return quote(data, safe="&=$'(),*+;:/@!~?[]")
        texts = (("%%%02x" if dice.random() < 0.5 else "%%%02X") % each for each in data)
        shown = [
            text if dice.random() < 0.5 or not 0x21 <= each < 0x7F else chr(each)
            for each, text in zip(data, texts, strict=True)
        ]
        for _ in range(dice.choice([0, 1, 3])):
            shown.insert(
                dice.randrange(len(shown) + 1),
                dice.choice(["%", "%zz", "%C3", "%FF", "%00", "%2", "+", "%u0041", "%ED%A0%80"]),
            )
        return "".join(shown)
