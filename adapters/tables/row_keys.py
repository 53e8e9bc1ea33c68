"""Row keys: those of alias rows, under which job rows have other names, and what Table Storage accepts as a key.

An alias row's `JobId` is the job row's key.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

# Table Storage refuses these characters in a key, and keys over 1 KiB in UTF-16.
_NOT_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KEY_UNITS = 512


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias row's job id, and its ETag when it was read."""

    job_id: object
    etag: str


def legacy_alias(legacy_id: str) -> str:
    """The key of the alias of a legacy id, in any letter case."""
    return f"alias:id:{legacy_id.lower()}"


def download_alias(data_source_name: str | None) -> str:
    """The key of the alias of a data source's newest download job, its name in any letter case."""
    return f"alias:download:{(data_source_name or '').lower()}"


def is_valid_key(text: str) -> bool:
    """Whether Table Storage accepts this key."""
    return _NOT_IN_KEYS.search(text) is None and len(text.encode("utf-16-le")) <= 2 * _KEY_UNITS


def behind(key: str) -> str:
    """The lowest key that sorts behind this one: a blank is the lowest character that keys may have."""
    return f"{key} "


def escape_key(text: str) -> str:
    """A text as a key: what a key may not hold is percent-encoded, in upper-case digits."""
    return _NOT_IN_KEYS.sub(lambda found: quote(found[0], safe=""), text)
