"""Rows of the key store: a key by its digest, and the changes that processes look for (keys contract, section 2)."""

from dataclasses import dataclass

from adapters.model.ticks import Ticks

MASTER, QUERY = "master", "query"
ROLES = (MASTER, QUERY)

MAX_NAME_LENGTH = 64
MAX_PATTERNS = 100
MAX_PATTERN_LENGTH = 100

# The changes that the change row lists.
MAX_RECENT = 800

# Hex digits by which the change row names a digest.
PREFIX_DIGITS = 16

ADDED_MANY = "+"
"""In the place of a digest: keys were added, so unknown keys are to be read again."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key row.

    Args:
        digest: the SHA-256 of the key, 64 lower-case hex digits.
        account: an account of the key ring.
        role: `master` or `query`.
        name: the program that has the key.
        data_sources: patterns of the data sources that it opens; None: all.
        expires: when it ends.
        created: when it was added; None where another tool wrote no time.
        revoked: that it is there revokes the key, whatever time it says.
        shadow: whether the key's reads may be sent on for comparison.
    """

    digest: str
    account: str
    role: str = MASTER
    name: str | None = None
    data_sources: tuple[str, ...] | None = None
    expires: Ticks | None = None
    created: Ticks | None = None
    revoked: Ticks | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """The change row: which keys changed lately.

    Args:
        epoch: a random text from when the row was first made; another one means another table.
        sequence: the number of the newest change.
        recent: the newest changes, newest first: each a number with the first 16 digits of a digest, or with `+`.
        etag: the row's ETag when it was read.
    """

    epoch: str
    sequence: int
    recent: tuple[tuple[int, str], ...] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key as its holder has it, also where it can't be read.

    Args:
        digest: the SHA-256 of the key, or the row key where that is none.
        record: what it may do; None where it can't be read.
        problem: why it can't be read, without its values.
        is_revoked: whether it is revoked.
        is_in_clear: whether the holder has the key itself.
    """

    digest: str
    record: KeyRecord | None
    problem: str = ""
    is_revoked: bool = False
    is_in_clear: bool = False
