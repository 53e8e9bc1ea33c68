"""Renders outputs of delimited text to the byte (geocode.md, 3.1 and 3.2)."""

import re

from proxy.formats.geocode.outcomes import Outcome
from proxy.formats.geocode.requests import Row
from proxy.formats.geocode.text_layouts import STATUS_COLUMNS, TextLayout

# In pipe and tab an apostrophe or # outside of quotes makes one client lose the whole file.
_SPECIAL = {
    ",": re.compile(r'[,"\r\n]'),
    "\t": re.compile("[\t\"'#\r\n]"),
    "|": re.compile("[|\"'#\r\n]"),
}


class TextRenderer:
    """Writes each row as wide as the header: one field more or less, and clients lose the whole file.

    Args:
        layout: the columns of the input.
        echo: the lines before the rows.
        separator: that of the input.
    """

    tail = ""

    def __init__(self, layout: TextLayout, echo: tuple[str, ...], separator: str) -> None:
        self.head = "".join(f"{line}\n" for line in echo)
        self.has_trace_ids = "TraceId" in layout.status
        self._layout, self._separator = layout, separator
        self._special = _SPECIAL[separator].search
        self._status = [(at, STATUS_COLUMNS.index(name)) for name, at in layout.status.items()]
        self._raw = () if separator == "," else layout.json

    def render(self, row: Row, outcome: Outcome, trace_id: str) -> str:
        """A row of one of the two outputs, with its line end."""
        layout, fields = self._layout, [*row.echo]
        if outcome.places:
            place = outcome.places[0]
            for at, write in layout.response:
                fields[at] = write(place)
        status = (outcome.status, outcome.reason, trace_id)
        for at, number in self._status:
            fields[at] = status[number]
        raw = [fields[at] for at in self._raw]
        special = self._special
        fields = [_quote(field) if field and special(field) else field for field in fields]
        for at, text in zip(self._raw, raw, strict=True):
            fields[at] = text
        return self._separator.join(fields) + "\n"


def _quote(field: str) -> str:
    doubled = field.replace('"', '""')
    return f'"{doubled}"'
