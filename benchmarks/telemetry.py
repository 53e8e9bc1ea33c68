"""Measures what metrics, traces and a shadow cost, as ratios to the same proxy without them.

A second proxy without them has the variables of traces and the one that disables them. Its ratio shows the error of
the measurement.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.figures import Figure
from benchmarks.polling import measured, ratios, status_of
from benchmarks.rows import write_jobs
from benchmarks.servers import proxy, stand_in
from tests.support.processes import free_port
from tests.support.storage import Storage

ROWS = 500
NOWHERE = "https://192.0.2.1"
TRACES, DISABLED = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED"
SAMPLER, ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"


def telemetry(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yields rates as parts of the rate without."""
    finished = [status_of(storage.job(DataSourceName="FourthCoffee"))]
    reads = [status_of(each) for each in write_jobs(storage, ROWS, newest_hours=1)]
    forgetful = {"pending_ttl": 0, "finished_ttl": 0}
    with ExitStack() as stack:
        collector = f"http://127.0.0.1:{stack.enter_context(stand_in('collector'))}"
        kinds: dict[str, tuple[dict[str, object], dict[str, str]]] = {
            "off": ({}, {}),
            "off again": ({}, {TRACES: collector, DISABLED: "true"}),
            "shadow": ({"shadow_url": NOWHERE, "shadow_sample": 1}, {}),
            "metrics": ({"metrics_port": free_port()}, {}),
            "traces": ({}, {TRACES: collector}),
            "traces of 1 in 100": ({}, {TRACES: collector, SAMPLER: "parentbased_traceidratio", ARGUMENT: "0.01"}),
        }
        remembered, read = {}, {}
        for kind, (settings, variables) in kinds.items():
            remembered[kind] = stack.enter_context(proxy(storage, variables, **settings))[0], finished
            other = settings | ({"metrics_port": free_port()} if settings else {}) | forgetful
            read[kind] = stack.enter_context(proxy(storage, variables, **other))[0], reads
        polls = ratios(measured(remembered, rounds, seconds), "rate", "off")
        storage_reads = ratios(measured(read, rounds, seconds), "rate", "off")
    yield Figure("metrics and traces off, finished job", polls["off again"], "of off", at_least=0.95)
    # No key is marked: what a shadow that is off costs is less.
    yield Figure("shadow on, key not marked, finished job", polls["shadow"], "of off", at_least=0.9)
    for kind in ("metrics", "traces", "traces of 1 in 100"):
        yield Figure(f"{kind} on, finished job, requests/s", polls[kind], "of off")
        yield Figure(f"{kind} on, every request reads storage", storage_reads[kind], "of off")
