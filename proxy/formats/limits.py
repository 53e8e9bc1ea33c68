"""How much a load may hold (write-side contract, "Load input")."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The bounds that are settings."""

    entities: int = 200_000
    unpacked_bytes: int = 300 * 1024 * 1024


MOST_PROPERTIES = 350
"""Beside Latitude and Longitude."""
LONGEST_NAME = 50
LONGEST_ID = 50
LONGEST_STRING = 2560
LONGEST_NUMBER = 400
"""Characters of a number: the largest double has 309 digits before its point."""
LONGEST_DATE = 64
MOST_POINTS = 100_000

# The rest bounds memory, where the contract has no number. The largest entity that it allows is a geography of
# 100,000 points, some 4 MB, beside 350 strings.
LARGEST_RECORD = 8 * 1024 * 1024
"""Bytes or characters of one entity, or of a schema."""
BATCH_ROWS = 5_000
BATCH_BYTES = 8 * 1024 * 1024
DEEPEST_XML = 64
DEEPEST_GEOGRAPHY = 16
"""Brackets in each other: each level is a call in the geometry library."""
LARGEST_SHAPES = 1024 * 1024
"""Bytes of geographies that are shapes of the library at one time: a shape takes up to 50 times its text's bytes."""
