"""The key ring and the pure packages load without the Azure SDKs."""

import subprocess
import sys

PURE = """
    adapters.errors adapters.credentials.config adapters.credentials.connection_string adapters.tables.row_keys
    adapters.model.data_sources adapters.model.job_ids adapters.model.jobs adapters.model.status_aliases
    adapters.model.ticks adapters.model.versions adapters.remote.public_addresses
"""
HEAVY = {"azure", "aiohttp", "starlette", "uvicorn"}


def test_pure_modules_load_no_sdk_and_no_server() -> None:
    program = f"import sys, {', '.join(PURE.split())}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not HEAVY & {module.partition(".")[0] for module in loaded}
