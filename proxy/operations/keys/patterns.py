"""Patterns of data sources as an operator writes them (keys contract, section 2)."""

from adapters.model.key_records import MAX_PATTERN_LENGTH, MAX_PATTERNS


def split_patterns(text: str) -> list[str]:
    """The patterns of a comma-separated text."""
    return [pattern for part in text.split(",") if (pattern := part.strip())]


def check_patterns(patterns: tuple[str, ...] | None) -> str:
    """What is wrong with patterns; empty for nothing."""
    if patterns is None:
        return ""
    if len(patterns) > MAX_PATTERNS:
        return f"{len(patterns)} patterns; at most {MAX_PATTERNS} are allowed"
    if longest := next((pattern for pattern in patterns if len(pattern) > MAX_PATTERN_LENGTH), ""):
        return f"{longest[:20]!r}... has {len(longest)} characters; at most {MAX_PATTERN_LENGTH} are allowed"
    return ""
