"""What a server that answers queries needs by default, in bytes (operations contract, section 6)."""

from proxy.settings import load_settings

_SETTINGS = load_settings(keyring="{}")

MEMORY = 768 * 1024**2
DISK = _SETTINGS.query_cache_mb * 1024**2 + 1024**3
