"""Recognizes a key in the place of a name or a pattern, where it would be stored and shown as it is."""

import re

from adapters.model.key_records import KeyRecord

# A key of Bing, or one that `keys add --generate` makes: long, of all three kinds of characters. No name is like that.
_KEY = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9_-]{64}")


def find_misplaced_key(record: KeyRecord) -> str:
    """The member of a record that looks like a key; empty for none."""
    members = {"name": (record.name or "",), "data_sources": record.data_sources or ()}
    return next((member for member, texts in members.items() if any(map(_KEY.fullmatch, texts))), "")
