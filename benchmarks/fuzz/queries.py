"""Sends query requests of a fuzz to a running server and judges each answer: `python -m benchmarks.fuzz.queries`.

Data sources: the contract's two samples, and two of 200,000 entities, one of them with polygons. An answer is wrong if
it is a 5xx, takes over two seconds, or is not what its Content-Type says. Prints the counts as JSON, and on standard
error what was wrong; ends with 1 if anything was.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import etree

from benchmarks.fuzz.query_requests import DataSourceToFuzz, Generator
from benchmarks.queries.client import Client
from benchmarks.queries.shops import ACCESS_ID, Shops
from benchmarks.query_data import shop_type, write_shops
from benchmarks.servers import proxy
from proxy.demo.azurite import start_emulator
from tests.support.live import MASTER
from tests.support.queries import AREAS, SHOPS, load_samples
from tests.support.storage import Storage

CLIENTS = 2
SECONDS = 2.0
OK, REFUSALS = 200, {400, 404, 414, 431}
MAX_SHOWN = 20
ROOTS = {"feed", "entry", "service", "Edmx"}
"""Of answers in XML; the last two tell what can be queried."""

_CALL = re.compile(rb"[A-Za-z0-9_$.\[\]]{1,128}\(")


@dataclass
class Verdicts:
    """Counts by kind and status, what was wrong, and the seconds of the slowest answer."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0
    slowest: str = ""

    def join(self, other: "Verdicts") -> None:
        """Adds those of another client."""
        self.counts.update(other.counts)
        self.wrong += other.wrong
        if other.seconds > self.seconds:
            self.seconds, self.slowest = other.seconds, other.slowest


def run(port: int, generator: Generator, requests: int) -> Verdicts:
    """Sends so many requests, one after the other."""
    found = Verdicts()
    with Client(port) as client:
        for _ in range(requests):
            kind, target = generator.next()
            mark = "&" if "?" in target else "?"
            started = time.perf_counter()
            status, content_type, body = client.ask(f"/REST/v1/data/{ACCESS_ID}/{target}{mark}key={MASTER}")
            seconds = time.perf_counter() - started
            found.counts.update(("requests", f"{kind}: {status}", f"{status} {content_type.partition(';')[0]}"))
            if seconds > found.seconds:
                found.seconds, found.slowest = seconds, target[:2000]
            fault = judge(status, content_type, body) or (f"{seconds:.1f} s" if seconds > SECONDS else "")
            if fault:
                found.wrong.append(f"{fault}: {target[:2000]}")
    return found


def judge(status: int, content_type: str, body: bytes) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status not in {OK, *REFUSALS}:
        return f"status {status}"
    member = "d" if status == OK else "errorDetails"
    try:
        if "xml" in content_type:
            return "" if _name_root(body) in (ROOTS if status == OK else {"Response"}) else "another root"
        if "javascript" in content_type:
            called = _CALL.match(body)
            if called is None or not body.endswith(b")"):
                return "no call of a function"
            value, *_ = json.loads(b"[%b]" % body[called.end() : -1])
        else:
            value = json.loads(body)
    except (ValueError, etree.XMLSyntaxError) as error:
        return f"not well-formed: {error}"
    return "" if member in value else f"no member {member}"


def _name_root(body: bytes) -> str:
    return str(etree.QName(etree.fromstring(body)).localname)


def main() -> int:
    """Loads the data sources, and fuzzes."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.fuzz.queries", description=__doc__)
    options.add_argument("requests", type=int, nargs="?", default=20_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    found = Verdicts()
    with start_emulator() as emulator, TemporaryDirectory() as folder, Storage.open(emulator, "fuzz") as storage:
        load_samples(storage)
        for name, has_shapes in (("Shops", False), ("Stars", True)):
            blob = Path(folder) / "blob.parquet"
            write_shops(blob, has_shapes=has_shapes)
            Shops(storage, name, has_shapes).publish(blob.read_bytes())
        names = tuple(each.name for each in shop_type(has_shapes=True).properties)
        sources = [DataSourceToFuzz(name, "Shops", names) for name in ("Shops", "Stars")]
        samples = {"FourthCoffeeShops": SHOPS, "Areas": AREAS}
        with proxy(storage, {"TMPDIR": folder}) as (port, _), ThreadPoolExecutor(CLIENTS) as threads:
            with Client(port) as client:  # the versions are fetched, and their columns verified
                for path in (f"{SHOPS}/FourthCoffeeShops", f"{AREAS}/Areas", "Shops/Shops", "Stars/Shops"):
                    while client.ask(f"/REST/v1/data/{ACCESS_ID}/{path}?$inlinecount=allpages&key={MASTER}")[0] != OK:
                        time.sleep(1)  # on a busy machine a fetch may outlast a request
            generators = [Generator(chosen.seed * CLIENTS + each, sources, samples) for each in range(CLIENTS)]
            for each in threads.map(lambda made: run(port, made, chosen.requests // CLIENTS), generators):
                found.join(each)
    for text in found.wrong[:MAX_SHOWN]:
        print(text, file=sys.stderr)
    told = {"wrong": len(found.wrong), "slowest, s": round(found.seconds, 3), "slowest": found.slowest[:300]}
    print(json.dumps(dict(sorted(found.counts.items())) | told, indent=1))
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
