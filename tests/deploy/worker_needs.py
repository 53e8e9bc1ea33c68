"""What a worker needs by the defaults of its settings, in bytes (operations contract, section 6)."""

from proxy.settings import load_settings

_SETTINGS = load_settings(keyring="{}")

MEMORY = (_SETTINGS.worker_jobs * _SETTINGS.worker_memory_mb + 256) * 1024**2
DISK = _SETTINGS.worker_jobs * 3 * _SETTINGS.max_upload_mb * 1024**2
