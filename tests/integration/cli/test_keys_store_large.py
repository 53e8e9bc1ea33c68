"""A store of three pages of keys: lists stream, and a closed pipe ends them quietly."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

import pytest

from proxy.demo.azurite import Emulator
from tests.integration.cli.test_pipes import PIPE_CLOSED, shell
from tests.support.key_table_rows import KeyTableRows, digest_of

KEYS = 3_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(emulator: Emulator) -> Iterator[dict[str, str]]:
    """What a command needs, and a store with so many keys."""
    with KeyTableRows.unmade(emulator.connection_string) as rows:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROXY_")}
        settings = {
            "PROXY_KEYRING": rows.ring("contoso"),
            "PROXY_KEYS_TABLE": rows.name,
            "PROXY_STORAGE_TIMEOUT": "60",
        }
        rows.make()
        fill(rows)
        yield kept | settings


def fill(rows: KeyTableRows) -> None:
    """Writes keys as another tool does: a transaction for each partition."""
    partitions = defaultdict[str, list[tuple[str, dict[str, str]]]](list)
    for number in range(KEYS):
        digest, patterns = digest_of(f"key-{number}"), f'["Coffee{number}*"]'
        row = {"PartitionKey": digest[:2], "RowKey": digest, "Account": "contoso", "DataSources": patterns}
        partitions[digest[:2]].append(("upsert", row))
    for batch in partitions.values():
        rows.table.submit_transaction(batch)


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy", "keys", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_list_and_an_export_have_all_keys(environment: dict[str, str]) -> None:
    lines = run(environment, "list", "--json").stdout.splitlines()
    assert len({json.loads(line)["data_sources"][0] for line in lines}) == KEYS
    exported = run(environment, "export").stdout
    assert len(json.loads(exported)["keys"]) == KEYS


@pytest.mark.parametrize("command", ["list", "export", "list --json --all"])
def test_a_pipe_that_is_closed_in_the_middle_ends_a_list_quietly(command: str, environment: dict[str, str]) -> None:
    assert shell(f"proxy keys {command} | head -n 1 > /dev/null", environment) == ([PIPE_CLOSED, 0], "")


def test_memory_does_not_grow_with_the_keys(environment: dict[str, str]) -> None:
    """Python's own peak, without the modules: a page of keys is in memory at a time, and no more."""
    script = (
        "import asyncio, os, sys, tracemalloc\n"
        "from adapters.tables.key_table import KeyTable\n"
        "from proxy.operations.keys.store_keys import StoreKeys\n"
        "from proxy.keyring.file import load_keyring\n"
        "from proxy.settings import load_settings\n"
        "async def main():\n"
        "    settings = load_settings()\n"
        "    table = KeyTable(load_keyring(settings).key_store, settings.keys_table, 5)\n"
        "    keys, peaks, number = StoreKeys(table), [], 0\n"
        "    async for key in keys.iterate():\n"
        "        number += 1\n"
        "        if number in {1_000, 2_000, 3_000}:\n"
        "            peaks.append(tracemalloc.get_traced_memory()[1])\n"
        "            tracemalloc.reset_peak()\n"
        "    await table.close()\n"
        "    print(number, *peaks)\n"
        "tracemalloc.start()\n"
        "asyncio.run(main())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    number, _, second, last = map(int, ran.stdout.split())
    assert number == KEYS
    assert last < second * 1.05  # a third page that stays would be a tenth
