"""Countries as people write them, and their ISO 3166 codes (geocode.md, 4.2).

`countries.tsv` has a line for each: alpha-2, alpha-3, and its names in English and of its own.
"""

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

_MAX_NAME = 100


def find_country(name: str) -> str | None:
    """The alpha-2 code of a country by a code or name, in any letter case, with or without accents and full stops."""
    return _find(name) if len(name) <= _MAX_NAME else None


@lru_cache(maxsize=4096)
def _find(name: str) -> str | None:
    return _table().get(_normalize(name))


@cache
def _table() -> dict[str, str]:
    table = {}
    for line in files(__package__).joinpath("countries.tsv").read_text(encoding="utf-8").splitlines():
        alpha2, alpha3, names = line.split("\t")
        table.update(dict.fromkeys(map(_normalize, (alpha2, alpha3, *names.split("|"))), alpha2))
    return table


def _normalize(name: str) -> str:
    letters = [letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter)]
    plain = (
        "".join(letters)
        .casefold()
        .replace(".", "")
        .replace("&", " and ")
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    )
    return " ".join(plain.split())
