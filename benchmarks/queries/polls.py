"""Polls of a job beside clients that query all the time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks.figures import Figure
from benchmarks.load import Outcome, load
from benchmarks.polling import status_of
from benchmarks.queries.shops import Shops

QUERYING, POLLING = 4, 16


def beside_queries(port: int, job: str, shops: Shops, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yields the polls' 99th percentile with queries and without, in turn."""
    targets = [*shops.nearby(100), *shops.nearby(1000, top="250"), *shops.filtered]
    alone, beside, queries = list[Outcome](), list[Outcome](), list[Outcome]()
    with ThreadPoolExecutor(1) as thread:
        for _ in range(rounds):
            alone.append(load(port, [status_of(job)], seconds, POLLING))
            querying = thread.submit(load, port, targets, seconds + 1, QUERYING)
            beside.append(load(port, [status_of(job)], seconds, POLLING))
            queries.append(querying.result())
    ratio = median(one.p99 / other.p99 for one, other in zip(beside, alone, strict=True))
    yield Figure(f"polls of a job by {POLLING} clients, 99 in 100 within", median(each.p99 for each in alone), "ms")
    yield Figure(f"the same beside {QUERYING} clients that query", median(each.p99 for each in beside), "ms")
    yield Figure("the same as a ratio", ratio, "times that without", at_most=5)
    yield Figure("queries meanwhile", median(each.rate for each in queries), "requests/s")
