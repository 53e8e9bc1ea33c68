"""Finds the quoted values of delimited text (write-contract.md, "What people's files look like").

A value is quoted when its first character, blanks aside, is a quote, and the next quote that is not doubled ends the
value: a separator or a line end follows it, blanks aside. Any other quote is a character like any other.

The search for closing quotes takes linear time in all. It passes only runs of an even number of quotes and can begin
only at a run of an odd number, so no two searches read the same bytes.
"""

import re
from array import array
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from proxy.formats.limits import MAX_RECORD_BYTES

Positions = npt.NDArray[np.int64]

_QUOTE = ord('"')
_MAX_PAIRED_BYTES = 2 * 1024 * 1024
"""Of text whose quotes are found at once; it takes more memory than a search."""
_NOTHING: Positions = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The expressions of one separator. All repetition is possessive: a match takes linear time."""

    separator: bytes
    multiline: bool
    """Whether a quoted value may hold line ends. In tab and pipe a line is a row."""
    quoted: re.Pattern[bytes]
    """A quoted value behind a separator or line end, with blanks before (group 1) and behind the quotes (group 2).

    Group 3 matches instead where the text ends before a closing quote.
    """
    value: re.Pattern[bytes]
    """A value of one row, quoted (group 1) or not (group 2), and the separator behind it (group 3)."""


def _grammar(separator: str) -> Grammar:
    by, multiline = re.escape(separator.encode()), separator == ","
    blanks = rb"[ \t]*+" if separator != "\t" else rb" *+"
    inside = rb'[^"]*+(?:""[^"]*+)*+' if multiline else rb'[^"\r\n]*+(?:""[^"\r\n]*+)*+'
    return Grammar(
        separator=separator.encode(),
        multiline=multiline,
        quoted=re.compile(rb'[%b\r\n](%b)"%b(?:"(%b)(?=[%b\r\n])|(\Z))' % (by, blanks, inside, blanks, by)),
        value=re.compile(rb'(?:%b"(%b)"%b|([^%b\r\n]*+))(?:(%b)|\Z)' % (blanks, inside, blanks, by, by)),
    )


GRAMMARS = {separator: _grammar(separator) for separator in (",", "\t", "|")}


class Quotes(NamedTuple):
    """Where the quoted values of a text are.

    Attributes:
        edges: positions of opening and closing quotes, alternating.
        blanks: where blanks before an opening quote or behind a closing one start and end, alternating.
        open_record: the start of a record whose last value is quoted and has no closing quote in the text.
    """

    edges: Positions = _NOTHING
    blanks: Positions = _NOTHING
    open_record: int | None = None


def split_line(line: bytes, separator: str) -> list[str]:
    """The values of a single row; bytes that are not UTF-8 are replaced."""
    values = []
    for quoted, literal, behind in GRAMMARS[separator].value.findall(line):
        values.append((quoted.replace(b'""', b'"') or literal).decode(errors="replace"))
        if not behind:
            break
    return values


def find_quotes(text: bytes, grammar: Grammar, *, is_last: bool) -> Quotes:
    """Finds the quoted values of whole lines.

    A closing quote counts only within MAX_RECORD_BYTES of its record's start.

    Args:
        text: rows, each with its line end.
        grammar: the grammar of the separator.
        is_last: whether no text follows. Otherwise the search ends at a value that following text may close.
    """
    if b'"' not in text:
        return Quotes()
    regular = _find_paired(text, grammar) if len(text) <= _MAX_PAIRED_BYTES else None
    if regular is None or (is_last and regular.open_record is not None):
        return _search(text, grammar, is_last=is_last)
    return regular


def _find_paired(text: bytes, grammar: Grammar) -> Quotes | None:
    """Finds quoted values by looking at all quotes at once; None where a quote is not around a value or doubled."""
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    beside = np.zeros(256, bool)
    beside[list(grammar.separator + b'\r\n"')] = True
    opening, closing = quotes[::2], quotes[1::2]
    opens = beside[data[opening - 1]]
    opens[0] |= opening[0] == 0
    if not opens.all() or not beside[data[closing + 1]].all():
        return None
    is_open, paired = len(opening) > len(closing), quotes[: 2 * len(closing)]
    record = None
    if is_open or not grammar.multiline:
        ends = np.flatnonzero((data == ord("\n")) | (data == ord("\r")))
        outside = np.searchsorted(quotes, ends) % 2 == 0
        if not grammar.multiline and not outside.all():
            return None
        record = int(ends[outside].max(initial=-1)) + 1 if is_open else None
    # A quote behind a closing one doubles it.
    doubled = np.flatnonzero(np.diff(paired) == 1)
    doubled = doubled[doubled % 2 == 1]
    edges = np.delete(paired, np.concatenate([doubled, doubled + 1]))
    return Quotes(edges, open_record=record)


def _search(text: bytes, grammar: Grammar, *, is_last: bool) -> Quotes:
    """Finds quoted values one by one."""
    edges, blanks = array("q"), array("q")  # a record may hold millions of quotes
    text = b"\n" + text  # so that every value has a separator or a line end before it
    at, behind, record = 0, 0, 1
    while match := grammar.quoted.search(text, at):
        start, end = match.span()
        record = max(record, text.rfind(b"\n", behind, start + 1) + 1, text.rfind(b"\r", behind, start + 1) + 1)
        is_open = match[3] is not None
        if end - record > MAX_RECORD_BYTES or (is_open and is_last):
            at = behind = start + 1  # the quote is literal
        elif is_open:
            return Quotes(np.array(edges), np.array(blanks), record - 1)
        else:
            first, last = match.span(1), match.span(2)
            edges.extend((first[1] - 1, last[0] - 2))
            for begin, stop in (first, last):
                if begin != stop:
                    blanks.extend((begin - 1, stop - 1))
            at = behind = end
    return Quotes(np.array(edges), np.array(blanks))
