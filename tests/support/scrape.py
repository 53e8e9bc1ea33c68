"""What the port of metrics says, as a Prometheus reads it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from proxy.observability.metrics.catalog import PREFIX
from tests.support.live import NO_TLS

SECONDS = 60


@dataclass(frozen=True)
class Metrics:
    """The samples of one look, by name and labels."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name, without its prefix, that have these labels."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.samples.items() if found == PREFIX + name and wanted <= has)

    def labels(self) -> dict[str, set[frozenset[str]]]:
        """The names of the labels that each name's samples have."""
        found: dict[str, set[frozenset[str]]] = {}
        for name, labels in self.samples:
            found.setdefault(name, set()).add(frozenset(label for label, _ in labels))
        return found

    def words(self) -> set[str]:
        """All values of all labels."""
        return {value for _, labels in self.samples for _, value in labels}


def scrape(port: int) -> Metrics:
    """One look."""
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS, verify=NO_TLS).raise_for_status()
    return Metrics(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
    )


def scrape_until(port: int, true: Callable[[Metrics], bool]) -> Metrics:
    """The first look of which this is true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = scrape(port)
        if true(found):
            return found
        time.sleep(0.05)
    raise AssertionError({each: value for each, value in found.samples.items() if not each[0].endswith("_bucket")})
