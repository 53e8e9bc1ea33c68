"""What polls cost, beside a static application: every server asked in turn, several rounds, medians."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.figures import Figure
from benchmarks.load import Outcome, load
from benchmarks.servers import proxy, stand_in
from tests.support.live import MASTER
from tests.support.storage import Storage

STORM = 200


def polling(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """Rates and 99th percentiles as ratios to the static application's."""
    finished = storage.job(DataSourceName="FourthCoffee", AccessId="a" * 32, OutputBlob="exports/coffee.xml")
    pending = storage.job(status="Running", DataSourceName="FourthCoffee")
    storm = [storage.job(DataSourceName=f"Coffee{number}") for number in range(STORM)]
    targets = {"finished": [finished], "pending": [pending], "storm": storm}
    asked = {name: [status_of(each) for each in ids] for name, ids in targets.items()}
    with ExitStack() as stack:
        static = stack.enter_context(stand_in("static"))
        told, _ = stack.enter_context(proxy(storage))
        silent, _ = stack.enter_context(proxy(storage, log_level="error"))
        runs = {"static": (static, ["/"])}
        runs |= {name: (told, paths) for name, paths in asked.items()}
        runs |= {f"{name}, no log": (silent, paths) for name, paths in asked.items()}
        outcomes = measured(runs, rounds, seconds)
    rate = ratios(outcomes, "rate")
    yield Figure("static application, (a)", median(each.rate for each in outcomes["static"]), "requests/s")
    yield Figure("static application, 99 in 100 within", median(each.p99 for each in outcomes["static"]), "ms")
    yield Figure("finished job, requests/s", rate["finished"], "of (a)", at_least=0.95)
    yield Figure("finished job, p99", ratios(outcomes, "p99")["finished"], "of (a)'s", at_most=1.5)
    yield Figure("pending job, requests/s", rate["pending"], "of (a)", at_least=0.90)
    yield Figure(f"storm over {STORM} jobs, requests/s", rate["storm"], "of (a)", at_least=0.85)
    for name in targets:
        cost = 1 - rate[name] / rate[f"{name}, no log"]
        yield Figure(f"what the default log costs, {name}", cost, "of the rate", at_most=0.10)


def status_of(job_id: str) -> str:
    """The target of a job's status."""
    return f"/REST/v1/Dataflows/LoadDataSource/{job_id}?key={MASTER}"


def measured(
    runs: dict[str, tuple[int, list[str]]], rounds: int, seconds: float, connections: int = 16
) -> dict[str, list[Outcome]]:
    """The outcomes of each run, one a round, the runs in turn; a first short round warms up."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, (port, targets) in runs.items():
            outcome = load(port, targets, seconds if number else min(seconds, 1.0), connections)
            if outcome.bad:
                raise RuntimeError(f"{name}: {outcome.bad} answers were not good")
            if number:
                outcomes[name].append(outcome)
    return outcomes


def ratios(outcomes: dict[str, list[Outcome]], what: str, to: str = "static") -> dict[str, float]:
    """The median over the rounds of each run's value as a part of another's in the same round."""
    return {
        name: median(getattr(one, what) / getattr(other, what) for one, other in zip(each, outcomes[to], strict=True))
        for name, each in outcomes.items()
    }
