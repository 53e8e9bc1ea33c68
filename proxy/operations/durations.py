"""Durations in words."""

# The seconds below which a unit is used, its length in seconds, and its name.
_UNITS = ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"))
_DAY = 86_400
_FEW_DAYS = 10


def describe_seconds(seconds: float) -> str:
    """A duration that people can read, like 3 min or 2.5 days."""
    for limit, length, unit in _UNITS:
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    days = seconds / _DAY
    return f"{days:.1f} days".replace(".0 ", " ") if days < _FEW_DAYS else f"{days:,.0f} days"
