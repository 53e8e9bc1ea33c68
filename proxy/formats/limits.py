"""The limits of a load (write-contract.md, "Load input")."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The limits that are settings."""

    entities: int = 200_000
    unpacked_bytes: int = 300 * 1024 * 1024


MAX_PROPERTIES = 350
"""Beside Latitude and Longitude."""
MAX_NAME_LENGTH = 50
MAX_ID_LENGTH = 50
MAX_STRING_LENGTH = 2560
MAX_NUMBER_LENGTH = 400
"""Characters of a number: the largest double has 309 digits before its point."""
MAX_POINTS = 100_000

# The rest limits memory, where the contract has no number. The largest entity that it allows is a geography of
# 100,000 points, some 4 MB, beside 350 strings.
MAX_RECORD_BYTES = 8 * 1024 * 1024
"""Bytes or characters of one entity, or of a schema."""
BATCH_ROWS = 5_000
BATCH_BYTES = 8 * 1024 * 1024
MAX_XML_DEPTH = 256
"""The parser's own limit."""
MAX_ELEMENTS = 200_000
"""XML elements inside of one that is read as a whole."""
MAX_GEOGRAPHY_DEPTH = 16
"""Nested brackets: each level is a call in the geometry library."""
MAX_SHAPE_BYTES = 1024 * 1024
"""Bytes of geographies that are shapes of the library at a time: a shape takes up to 50 times its text's bytes."""
