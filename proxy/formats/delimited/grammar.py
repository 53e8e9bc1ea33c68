"""The rows of delimited text, by the rule for quotes (write-side contract, "What people's files look like").

A value is quoted when its first character, blanks aside, is a quote, and the next quote that is not doubled ends the
value: a separator or a line's end follows it, blanks aside. Any other quote is a character like any other.

The search for the closing quote costs linear time in all: it passes only runs of an even number of quotes, and can
begin only at a run of an odd number, so that no two searches read the same bytes.
"""

import re
from dataclasses import dataclass

_LINE_END = rb"(?:\r\n?|\n|\Z)"


@dataclass(frozen=True, slots=True)
class Grammar:
    """The expressions of one separator. All repetition is possessive: a match takes linear time."""

    separator: bytes
    nothing: re.Pattern[bytes]
    """Blanks, separators and line ends: what is no row."""
    line: re.Pattern[bytes]
    """A line (group 1) with its end."""
    opened_at_once: bytes
    """A separator and a quote."""
    opening: re.Pattern[bytes]
    """The beginning of a value that may be quoted; `search` looks for it."""
    value: re.Pattern[bytes]
    """One value, quoted (group 1) or not (group 2), and the separator behind it (group 3) or the line's end."""
    literal: re.Pattern[bytes]
    """The same, with the quote as a character (groups 2 and 3)."""
    opened: re.Pattern[bytes]
    """A quoted value as far as it has no closing quote."""


def _grammar(separator: str, *, across_lines: bool) -> Grammar:
    by = re.escape(separator.encode())
    blank = rb"[ \t]" if separator != "\t" else rb" "
    inside = rb'[^"]*+(?:""[^"]*+)*+' if across_lines else rb'[^"\r\n]*+(?:""[^"\r\n]*+)*+'
    end = rb"(?:(%b)|%b)" % (by, _LINE_END)
    return Grammar(
        separator=separator.encode(),
        nothing=re.compile(rb"[ \t\r\n%b]*+" % by),
        line=re.compile(rb"([^\r\n]*+)" + _LINE_END),
        opened_at_once=separator.encode() + b'"',
        opening=re.compile(rb'(?:\A|%b)%b*+"' % (by, blank)),
        value=re.compile(rb'(?:%b*+"(%b)"%b*+|([^%b\r\n]*+))%b' % (blank, inside, blank, by, end)),
        literal=re.compile(rb"(?!)()|([^%b\r\n]*+)%b" % (by, end)),
        opened=re.compile(rb'%b*+"%b' % (blank, inside)),
    )


GRAMMARS = {
    separator: _grammar(separator, across_lines=separator == ",")  # tab and pipe: a line is a row
    for separator in (",", "\t", "|")
}


def split_line(line: bytes, separator: str) -> list[str]:
    """The values of one row; what is not UTF-8 in it is replaced."""
    return [value.decode(errors="replace") for value, _ in values_of(line, GRAMMARS[separator])]


def values_of(row: bytes, grammar: Grammar) -> list[tuple[bytes, bool]]:
    """The values of one row, and which of them begin with a quote that nothing closes in it."""
    values = []
    for quoted, literal, separator in grammar.value.findall(row):
        value = quoted.replace(b'""', b'"') if b'""' in quoted else quoted or literal
        values.append((value, b'"' in literal and literal.lstrip(b" \t").startswith(b'"')))
        if not separator:
            break
    return values


def unquoted(match: re.Match[bytes]) -> bytes:
    """The value of a match of `value` or `literal`."""
    quoted: bytes | None = match[1]
    if quoted is None:
        literal: bytes = match[2]
        return literal
    return quoted.replace(b'""', b'"') if b'""' in quoted else quoted
