"""What the overview reads of an account, each part with its own error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from proxy.observability.load_needs import Finding
from proxy.operations.ending_keys import EndingKey
from proxy.operations.job_counts import JobCounts
from proxy.operations.usage_hours import DayUsage
from proxy.operations.worker_views import WorkerView

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PartError:
    """Why a part could not be read, and what to do. Errors of the same kind are equal."""

    kind: str
    advice: str
    detail: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The kind, with the detail that the part's own client gives."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


@dataclass(frozen=True, slots=True)
class Part(Generic[_T]):
    """What was read, or its error."""

    value: _T | None = None
    error: PartError | None = None


@dataclass(frozen=True, slots=True)
class AccountParts:
    """The parts of an account.

    Args:
        storage: what the probes of its storage found, by the part that they look at.
        workers: the workers of the last day.
        queue: how many jobs wait in the queue or are leased.
        jobs: the counts of jobs.
        keys: the keys that end soon, the first to end first.
        usage: the requests of the last day; None where PROXY_USAGE is off.
    """

    storage: Mapping[str, Part[list[Finding]]]
    workers: Part[tuple[WorkerView, ...]]
    queue: Part[int]
    jobs: Part[JobCounts]
    keys: Part[tuple[EndingKey, ...]]
    usage: Part[DayUsage] | None
