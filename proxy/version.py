"""The version of this program, from its package metadata."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

PROGRAM = "spatial-data-proxy"

SERVER_HEADER = "X-Spatial-Data-Proxy"
"""The response header by which a server says that it is this program; its value is the version."""

try:
    VERSION = version_of(PROGRAM)
except PackageNotFoundError:  # pragma: no cover - the source alone, which nobody installed
    VERSION = "unknown"
