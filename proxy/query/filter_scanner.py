"""Reads the words, literals and marks of a `$filter`, from left to right.

Every pattern is possessive or ends at its first mismatch, so that a text of any kind is read in linear time.
"""

import re

from proxy.query.errors import QueryError, quote_value
from proxy.query.filter_syntax import Literal, LiteralKind

DATE = (
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T(?P<minute>[0-9]{2}:[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]++)?))?(?P<zone>Z|[+\- ][0-9]{2}:[0-9]{2})?)?"
)
"""Date alone or with time, seconds, fraction and zone optional. An offset's `+` may have arrived as a blank."""
NUMBER = r"([+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:E[+-]?[0-9]++)?)[LMFD]?"
"""Its group leaves out the type's suffix."""

_SHOWN = 100
_BLANKS = re.compile(r"\s*+")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_TEXT = re.compile(r"'([^']*+(?:''[^']*+)*+)'")
_DATE_LITERAL = re.compile(rf"{DATE}(?![\w.])", re.IGNORECASE)
_NUMBER_LITERAL = re.compile(rf"{NUMBER}(?![\w.])", re.IGNORECASE)
_WRAPPED_END = re.compile(r"''(?=\s*+\))")
_WORD_LITERALS = {"true": LiteralKind.BOOLEAN, "false": LiteralKind.BOOLEAN, "null": LiteralKind.NULL}


class FilterScanner:
    """A position in a `$filter`; it stands before a mark, never before blanks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._has_wrapped_texts = True
        self._move_to(0)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._text)

    def is_at(self, mark: str) -> bool:
        """Whether a mark is here."""
        return self._text.startswith(mark, self._at)

    def peek_word(self) -> str:
        """The word here, as it is written; empty where there is none."""
        match = _WORD.match(self._text, self._at)
        return match[0] if match else ""

    def peek_function(self) -> str:
        """The word here in lower case, if a parenthesis follows; else empty."""
        word = self.peek_word()
        after = self._skip_blanks(self._at + len(word))
        return word.lower() if word and self._text.startswith("(", after) else ""

    def read_word(self, *words: str) -> str:
        """Passes one of some words, in any letter case; returns it in lower case, or an empty text."""
        word = self.peek_word()
        if word.lower() not in words:
            return ""
        self._move_to(self._at + len(word))
        return word.lower()

    def read_name(self) -> str:
        """Passes any word; returns it, or an empty text."""
        word = self.peek_word()
        self._move_to(self._at + len(word))
        return word

    def read_mark(self, mark: str) -> bool:
        """Passes a mark if it is here."""
        is_here = self.is_at(mark)
        if is_here:
            self._move_to(self._at + len(mark))
        return is_here

    def require_mark(self, mark: str) -> None:
        """Passes a mark.

        Raises:
            QueryError: it is not here.
        """
        if not self.read_mark(mark):
            raise self.error(f"'{mark}'")

    def read_literal(self) -> Literal | None:
        """Passes a literal; None where there is none."""
        word = self.peek_word()
        if word:
            kind = _WORD_LITERALS.get(word.lower())
            if kind is not None:
                self._move_to(self._at + len(word))
                return Literal(kind, word)
            is_date = word.lower() == "datetime" and self._text.startswith("'", self._at + len(word))
            return self._read_text(LiteralKind.DATE, self._at + len(word)) if is_date else None
        if match := _DATE_LITERAL.match(self._text, self._at):
            self._move_to(match.end())
            return Literal(LiteralKind.DATE, match[0])
        if match := _NUMBER_LITERAL.match(self._text, self._at):
            self._move_to(match.end())
            return Literal(LiteralKind.NUMBER, match[1])
        return self._read_text(LiteralKind.TEXT, self._at) if self._text.startswith("'", self._at) else None

    def read_wrapped_text(self) -> str | None:
        """Passes a text that a client's library wrapped in quotes twice: `''Sea'')`; None where there is none.

        Its end is the first doubled quote before a closing parenthesis.
        """
        after = self._skip_blanks(self._at + 2)
        if not self._text.startswith("''", self._at) or self._text[after : after + 1] in {",", ")"}:
            return None
        # A search that found no end is the last one, or many would take quadratic time.
        end = _WRAPPED_END.search(self._text, self._at + 2) if self._has_wrapped_texts else None
        if end is None:
            self._has_wrapped_texts = False
            return None
        text = self._text[self._at + 2 : end.start()]
        self._move_to(end.end())
        return text.replace("''", "'")

    def error(self, expected: str) -> QueryError:
        """The error of what is here instead of what can be."""
        rest = self._text[self._at : self._at + _SHOWN]  # not all of it, or many errors would take quadratic time
        found = f"has {quote_value(rest)} at character {self._at + 1}" if rest else "ends too early"
        return QueryError(f"The parameter $filter is not valid: it {found}, where {expected} is expected.")

    def _read_text(self, kind: LiteralKind, start: int) -> Literal:
        match = _TEXT.match(self._text, start)
        if match is None:
            raise self.error("a text with a closing quote")
        self._move_to(match.end())
        return Literal(kind, match[1].replace("''", "'"))

    def _move_to(self, at: int) -> None:
        self._at = self._skip_blanks(at)

    def _skip_blanks(self, at: int) -> int:
        match = _BLANKS.match(self._text, at)
        return match.end() if match else at
