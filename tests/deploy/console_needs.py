"""What a console needs that queries, and checks one file at a time, in bytes (operations contract, section 6)."""

from proxy.settings import load_settings
from tests.deploy import server_needs

JOBS = 1
"""PROXY_WORKER_JOBS of a console: the files that it reads at once."""

_SETTINGS = load_settings(keyring="{}", worker_jobs=JOBS)

MEMORY = server_needs.MEMORY + JOBS * _SETTINGS.worker_memory_mb * 1024**2
DISK = server_needs.DISK + JOBS * 3 * _SETTINGS.max_upload_mb * 1024**2
