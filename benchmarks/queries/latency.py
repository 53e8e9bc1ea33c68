"""The times of single queries through the server, one after the other on one connection."""

from collections.abc import Iterator
from itertools import cycle
from statistics import median

import numpy as np

from benchmarks.figures import Figure
from benchmarks.queries.client import Client
from benchmarks.queries.shops import Shops
from benchmarks.query_data import ENTITIES

BOX = "POLYGON ((-102 36,-94 36,-94 42,-102 42,-102 36))"
POINT = "POINT (-98 39)"


def timing(port: int, shops: Shops, shapes: Shops, rounds: int) -> Iterator[Figure]:
    """Yields milliseconds in the server: those of an answer at its client, less those of a refusal.

    A refusal is the same request with a wrong `$top`. It has its key checked and the row of its data source read, and
    ends before the query is bound, run, rendered and sent; these make the difference. Both go in turn.
    """
    asked = {
        "nearby 10 km, 25 results": (shops.nearby(10), 2.0),
        "nearby 100 km, 25 results": (shops.nearby(100), 2.0),
        "nearby 1000 km, 25 results": (shops.nearby(1000), 6.0),
        "nearby 1000 km, 250 results, JSON": (shops.nearby(1000, top="250"), 8.0),
        "nearby 1000 km, 250 results, Atom": (shops.nearby(1000, top="250", format="atom"), 12.0),
        "$filter of three conditions, 25 results": (shops.filtered, 6.0),
        "the same, all counted": ([f"{each}&$inlinecount=allpages" for each in shops.filtered], 6.0),
        "nearby 1000 km, all counted": (shops.nearby(1000, inlinecount="allpages"), 6.0),
        "intersects a point": ([shapes.intersecting(POINT)], 3.0),
        "intersects a box of 8 x 6 degrees, counted": ([shapes.intersecting(BOX, inlinecount="allpages")], 25.0),
        "one entity by id": ([shops.target(f"-{number}", format="json") for number in _some_ids()], 1.0),
    }
    with Client(port) as client:
        for target in (shops.nearby(10)[0], shapes.intersecting(POINT)):
            client.wait(target)
        refusals = []
        for what, (targets, goal) in asked.items():
            differences = []
            for _, target in zip(range(rounds + 3), cycle(targets), strict=False):
                refused = client.milliseconds(shops.target(top="none", format="json"), 400)
                differences.append(client.milliseconds(target) - refused)
                refusals.append(refused)
            yield Figure(what, median(differences[3:]), "ms", at_most=goal)
        yield Figure("a refusal, which each of these has taken beside", median(refusals), "ms")


def _some_ids() -> list[int]:
    return [int(each) for each in np.random.default_rng(2).integers(0, ENTITIES, 50)]
