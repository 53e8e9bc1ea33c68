"""Section 2.1 of the query contract: entities in JSON, and how both formats write values."""

import re
from functools import partial
from urllib.parse import quote

from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed_query import Literal, ParsedAnswer
from proxy.conformance.rule import rule
from proxy.conformance.rules.checks import Verdict
from proxy.conformance.rules.query_checks import content_type_is, forms

P = Purpose
_OUTSIDE_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"|(\s)', re.DOTALL)
_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?(?:E[+-]\d\d+)?"
_WELL_KNOWN_TEXT = r"[A-Z]+ (?:EMPTY|\(.*\))"
COORDINATE = "coordinate"
# How each type is written in JSON and in Atom; `null` stands for a missing value.
VALUES: dict[str, tuple[str, str, str, str]] = {
    COORDINATE: ("coordinates", "A coordinate has six decimals.", r"-?\d+\.\d{6}", r"-?\d+\.\d{6}"),
    "Edm.String": ("texts", "A missing text is an empty one.", '".*"', ""),  # in Atom any text is one
    "Edm.Double": ("doubles", "A Double has no digit too many.", f"{_NUMBER}|null", f"{_NUMBER}|NaN|-?INF|null"),
    "Edm.Int64": ("integers", "An Int64 is digits alone.", r"-?\d+|null", r"-?\d+|null"),
    "Edm.Boolean": ("booleans", "A Boolean is true or false in JSON, 1 or 0 in Atom.", "true|false|null", "1|0|null"),
    "Edm.DateTime": (
        "dates",
        "A date is Date(milliseconds) in JSON, without a zone in Atom.",
        r'"/Date\(-?\d+\)/"|null',
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d*[1-9])?|null",
    ),
    "Edm.Geography": (
        "geographies",
        "A geography is well-known text in capitals.",
        f'"{_WELL_KNOWN_TEXT}"|null',
        f"{_WELL_KNOWN_TEXT}|null",
    ),
}


def type_of(answer: ParsedAnswer, name: str) -> str:
    """The type of a property, empty if the schema is not known. Coordinates are Doubles of a form of their own."""
    if name in {"Latitude", "Longitude"}:
        return COORDINATE
    return "Edm.Double" if name == "__Distance" else dict(answer.source.types).get(name, "")


def register_values(number: int) -> None:
    """Registers the rules of how a format writes each type; `number` is its part of section 2."""
    for edm, (name, title, *patterns) in VALUES.items():
        if not patterns[number - 1]:
            continue
        judge = partial(_written_fault, edm, re.compile(patterns[number - 1], re.DOTALL))
        rule(f"q2.{number}.{name}", title, forms(atom=number == 2), "no entity has such a property")(judge)  # noqa: PLR2004 - 2.2 is Atom


def _written_fault(edm: str, pattern: re.Pattern[str], answer: ParsedAnswer) -> str | None:
    found = [one for each in answer.entities for one in each.properties if type_of(answer, one.name) == edm]
    wrong = (f"{one.name} is written like {_shape(one.written)}" for one in found if not pattern.fullmatch(one.written))
    return next(wrong, "") if found else None


def _shape(text: str) -> str:
    """The form of a value without the value: 9 for each digit, x for each other letter."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text))


def url_fault(answer: ParsedAnswer) -> Verdict:
    """What is wrong with the URLs of entities: the one that is listed, then the encoded id."""
    for each in answer.entities:
        start, _, end = str(each.url).partition("://")[2].partition("('")
        if start != answer.source.url.partition("://")[2] or not end.endswith("')"):
            return "it should be the listed URL with ('id') at its end"
        key = answer.key_of(each)
        if key is not None and end[:-2] != quote(key.replace("'", "''"), safe="'", errors="replace"):
            return "its id should be the key, percent-encoded but for letters, digits, -._~ and quotes"
    return ""


register_values(1)
rule("q2.1.content-type", "JSON is application/json; charset=utf-8.", forms(atom=False))(
    content_type_is("application/json")
)
rule("q2.1.ascii", "JSON is ASCII alone, without a BOM.", forms(atom=False))(
    lambda answer: answer.exchange.body.isascii()
)
rule("q2.1.compact", "JSON has no white space between members.", forms(atom=False))(
    lambda answer: not any(found[1] for found in _OUTSIDE_TEXTS.finditer(answer.exchange.body))
)
rule("q2.1.slashes", r"Every / in JSON is written \/.", forms(atom=False))(
    lambda answer: not re.search(rb"(?<!\\)/", answer.exchange.body)
)
rule("q2.1.uri", "uri is the entity's URL, as it is stored.", forms(atom=False))(url_fault)
rule("q2.1.metadata-first", "The first member of an entity is __metadata, with uri alone.", forms(atom=False))(
    lambda answer: all(
        next((name for name in each.order if name != "__copyright"), "") == "__metadata" and each.url
        for each in answer.entities
    )
)


@rule(
    "q2.1.members",
    "d has __copyright, __count where it is wanted, then results; one entity has none.",
    forms(atom=False),
)
def _members(answer: ParsedAnswer) -> Verdict:
    if answer.exchange.request.purpose is P.FIND_ONE:
        return list(answer.members)[:2] == ["__copyright", "__metadata"] and "results" not in answer.members
    return list(answer.members) == ["__copyright", *["__count"] * answer.is_counted, "results"]


rule("q2.1.count", "__count is a number.", forms(P.FIND_FIRST, P.FIND_ALL, P.FIND_PAST_END, atom=False))(
    lambda answer: isinstance(answer.count, Literal) and answer.count.isdigit()
)
rule("q2.1.copyright", "__copyright is a text.", forms(atom=False))(
    lambda answer: isinstance(answer.members.get("__copyright"), str) and bool(answer.members["__copyright"].strip())
)


@rule("q2.1.schema", "Without $select, an entity has all properties in their order.", forms(P.FIND_ALL, P.FIND_ONE))
def _schema(answer: ParsedAnswer) -> Verdict | None:
    names = [name for name, _ in answer.source.types]
    return all([one.name for one in each.properties] == names for each in answer.entities) if names else None
