"""Blocks of whole rows of delimited text, with the quoted values in them."""

import re
from collections.abc import Iterator

import numpy as np

from proxy.formats.delimited.grammar import Grammar, Quotes, find_quotes
from proxy.formats.delimited.lines import PIECE_BYTES, LineReader

_LINE_END = re.compile(rb"\r\n?|\n")


def split_blocks(lines: LineReader, text: bytes, grammar: Grammar) -> Iterator[tuple[bytes, Quotes]]:
    """The rows of a text, about a megabyte at a time.

    Args:
        lines: the lines behind the text.
        text: the first rows, or none.
        grammar: the grammar of the separator.
    """
    is_last = False
    while text:
        quotes = find_quotes(text, grammar, is_last=is_last)
        if quotes.open_record == 0:
            following = lines.read()
            is_last = not following
            text += following
            continue
        end = quotes.open_record or _find_row_end(text, quotes)
        yield text[:end], quotes
        text = text[end:] or lines.read()


def _find_row_end(text: bytes, quotes: Quotes) -> int:
    """The end of a row such that the rows before it are little more than a piece: limits the memory of a block."""
    at = PIECE_BYTES + PIECE_BYTES // 4
    while match := _LINE_END.search(text, at):
        before = int(np.searchsorted(quotes.edges, match.start()))
        if before % 2 == 0:
            return match.end()
        at = int(quotes.edges[before])
    return len(text)
