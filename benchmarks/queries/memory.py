"""The memory of a server that queries 25 data sources in turn."""

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.queries.client import Client
from benchmarks.queries.shops import FILTER, Shops
from benchmarks.servers import proxy
from tests.support.storage import Storage

SOURCES, TURNS = 25, 2


def keeping(storage: Storage, content: bytes, folder: Path) -> Iterator[Figure]:
    """Yields megabytes by the system's count of the pages that this process alone has.

    Pages of a mapped file that no other process uses just then count as private and clean: the system drops them when
    memory is short, and a second server on the machine shares them. Dirty pages are the process's own for good.
    """
    sources = [Shops(storage, f"Turn{number}") for number in range(SOURCES)]
    for each in sources:
        each.publish(content)
    with proxy(storage, {"TMPDIR": str(folder)}) as (port, process), Client(port) as client:
        dirty = private_mb(process)["Dirty"]
        yield Figure("memory after the start", dirty, "MB")
        for _ in range(TURNS):
            for each in sources:
                for target in (
                    *each.nearby(1000, top="250")[:2],
                    each.target(filter=FILTER, orderby="Address", top="250"),
                ):
                    client.get(target)
        found = private_mb(process)
    yield Figure(f"memory, {SOURCES} data sources in turn, private and dirty", found["Dirty"], "MB", at_most=400)
    yield Figure("the same, its private pages of mapped files, which the system takes back", found["Clean"], "MB")


def private_mb(process: int) -> dict[str, float]:
    """Megabytes of private pages, `Dirty` and `Clean`."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return {
        name: int(kilobytes) / 1024
        for name, kilobytes in re.findall(r"Private_(\w+): +(\d+) kB", text)
        if name in {"Dirty", "Clean"}
    }
