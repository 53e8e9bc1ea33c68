"""The environment variables that files of deploy/ may set."""

from collections.abc import Iterable

from proxy.settings import Settings, variable_name

SETTINGS = frozenset(variable_name(name) for name in Settings.model_fields)

# Not ours: what Python's temporary files follow.
OTHERS = frozenset({"TMPDIR"})


def unknown(names: Iterable[str]) -> list[str]:
    """Those that nobody reads."""
    return sorted(set(names) - SETTINGS - OTHERS)
