"""What an answer shows beside the entities."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from adapters.model.ticks import Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The surroundings of a page of entities.

    Args:
        base: the public URL, without a slash at its end.
        access_id: the data source's.
        data_source: its name, as it is stored.
        entity_type: its entity type, as it is stored.
        copyright: the notice, with the year.
        now: the instant of the answer.
        guid: distinguishes the feeds of one process.
        is_single: one entity instead of a list; the page then has one.
    """

    base: str
    access_id: str
    data_source: str
    entity_type: str
    copyright: str
    now: Ticks
    guid: str
    is_single: bool = False

    def build_uris(self, ids: Iterable[str]) -> list[str]:
        """The URL of each entity: quotes stay, doubled in an id; all but letters, digits and `-._~` is encoded."""
        path = "/".join(quote(part, safe="") for part in (self.access_id, self.data_source, self.entity_type))
        start = f"{self.base}/REST/v1/data/{path}('"
        return [f"{start}{quote(each.replace(_QUOTE, _QUOTE * 2), safe=_QUOTE)}')" for each in ids]


_QUOTE = "'"
