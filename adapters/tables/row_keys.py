"""Alias rows: other names under which a job row can be found.

An alias row's `JobId` is the row key of the job row it points at.
"""

import re
from dataclasses import dataclass

# Table Storage refuses these in a key, and keys over 1 KiB in UTF-16.
_NOT_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KEY_UNITS = 512


@dataclass(frozen=True, slots=True)
class Alias:
    """What an alias row says, and the version in which it was read."""

    job_id: object
    etag: str


def legacy_alias(legacy_id: str) -> str:
    """The row key under which a job's id from Bing is found."""
    return f"alias:id:{legacy_id.lower()}"


def download_alias(data_source_name: str | None) -> str:
    """The row key under which a data source's newest download job is found."""
    return f"alias:download:{(data_source_name or '').lower()}"


def is_key(text: str) -> bool:
    """Whether Table Storage can have a row of this key at all."""
    return _NOT_IN_KEYS.search(text) is None and len(text.encode("utf-16-le")) <= 2 * _KEY_UNITS
