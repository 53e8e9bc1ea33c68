"""What a server that answers queries needs by default, in bytes (operations contract, section 6)."""

from proxy.settings import load_settings

_SETTINGS = load_settings(keyring="{}")

# Until queries are there, the contract's default of PROXY_QUERY_CACHE_MB.
_QUERY_CACHE_MB: int = getattr(_SETTINGS, "query_cache_mb", 2048)

MEMORY = 768 * 1024**2
DISK = _QUERY_CACHE_MB * 1024**2 + 1024**3
