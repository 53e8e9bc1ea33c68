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
    """Yields megabytes that this process alone has, by the system's count in smaps_rollup.

    Pages of mapped files that no other process has mapped count as private too, though the system can take them back;
    those that are its own for good are anonymous.
    """
    sources = [Shops(storage, f"Turn{number}") for number in range(SOURCES)]
    for each in sources:
        each.publish(content)
    with proxy(storage, {"TMPDIR": str(folder)}) as (port, process), Client(port) as client:
        yield Figure("private memory after the start", private_mb(process), "MB")
        for _ in range(TURNS):
            for each in sources:
                for target in (
                    *each.nearby(1000, top="250")[:2],
                    each.target(filter=FILTER, orderby="Address", top="250"),
                ):
                    client.wait(target)
        yield Figure(f"private memory, {SOURCES} data sources in turn", private_mb(process), "MB", at_most=400)
        yield Figure("the same without pages of mapped files", private_mb(process, "Anonymous"), "MB")


def private_mb(process: int, kind: str = r"Private_\w+") -> float:
    """Megabytes of the pages that belong to a process alone."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(kilobytes) for kilobytes in re.findall(rf"^{kind}: +(\d+) kB", text, re.MULTILINE)) / 1024
