"""The environment variables that files of deploy/ may set."""

from collections.abc import Iterable

from proxy.settings import Settings, variable_name

SETTINGS = frozenset(variable_name(name) for name in Settings.model_fields)

# No settings: what Python's temporary files follow, and the variable that the demo's ring names.
OTHERS = frozenset({"TMPDIR", "DEMO_MAPS_KEY"})


def unknown(names: Iterable[str]) -> list[str]:
    """Those that nobody reads."""
    return sorted(set(names) - SETTINGS - OTHERS)
