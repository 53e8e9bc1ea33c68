"""Every metric, as one table: what the dashboard, the alert rules and the README are checked against.

A label holds an account of the key ring, the program's version, or a word of a fixed list: never a path, an id or a
key. So the number of series is bounded by the ring.
"""

from dataclasses import dataclass
from enum import Enum

PREFIX = "spatial_proxy_"

# Seconds. A remembered answer takes some tens of microseconds, a request may wait for storage until its deadline.
REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOB_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class MetricType(Enum):
    """How a metric is counted."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its whole name without what Prometheus appends (`_total`, `_bucket`), its labels and its help."""

    name: str
    kind: MetricType
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    worker: bool = False
    """Whether only `worker` has it."""


def _metric(name: str, kind: MetricType, labels: str, text: str, buckets: tuple[float, ...] = ()) -> Metric:
    return Metric(PREFIX + name, kind, tuple(labels.split()), text, buckets, worker=name.startswith("worker_"))


C, G, H = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

BUILD_INFO = _metric("build_info", G, "version", "Always 1; the label says which version runs.")
REQUESTS = _metric("requests", C, "operation status account", "Requests answered.")
REQUEST_SECONDS = _metric("request_seconds", H, "operation", "From request to answer, in seconds.", REQUEST_BUCKETS)
STORAGE_CALLS = _metric("storage_calls", C, "account service call", "Calls of storage that have ended, well or not.")
STORAGE_SECONDS = _metric(
    "storage_call_seconds", H, "service", "How long calls of storage took, in seconds.", REQUEST_BUCKETS
)
STORAGE_ERRORS = _metric(
    "storage_errors", C, "account service kind", "Calls of storage that failed, by kind of fault, and reads held back."
)
READS = _metric(
    "reads", C, "account source", "Jobs and job lists read: remembered, shared with another request, or of storage."
)
AUTHENTICATION_FAILURES = _metric(
    "authentication_failures", C, "code", "Requests refused for their key, by authenticationResultCode."
)
RING_RELOADS = _metric("ring_reloads", C, "outcome", "Changes of the key ring file that were taken, or refused.")
SIGNED_LINKS = _metric("signed_links", C, "account", "Links signed; a link that is given again counts once.")
MALFORMED_ROWS = _metric("malformed_rows", C, "account", "Rows found that can't be shown, each told once in the log.")

JOBS = _metric("jobs", G, "account state age", "Jobs in the job list's window, by state and by age since creation.")
OLDEST_PENDING = _metric(
    "oldest_pending_job_seconds", G, "account", "Age of the oldest unfinished job of the window, 0 where there is none."
)
QUEUE_MESSAGES = _metric("queue_messages", G, "account", "Jobs that wait for a worker or are being done, about.")
KEYS = _metric("keys", G, "account state", "Keys of the ring, valid or expired.")
NEXT_KEY_END = _metric(
    "next_key_end_timestamp_seconds",
    G,
    "account",
    "When the next valid key with an end expires, in seconds since 1970; none where no key has an end.",
)
ACCOUNT_BROKEN = _metric("account_broken", G, "account", "1 where the account's storage can't be opened or asked.")
ACCOUNT_FAULT = _metric(
    "account_fault", G, "account kind", "1 for the kind of fault that keeps the account's storage from being asked."
)
LOAD_NEED = _metric(
    "load_need", G, "account need", "1 where what loads need is there, 0 where it is missing or does not answer."
)
CENSUS_TIME = _metric(
    "census_timestamp_seconds", G, "account", "When jobs and queue were last counted, in seconds since 1970."
)

WORKER_JOBS = _metric("worker_jobs", C, "account type outcome", "Attempts at jobs that have ended.")
WORKER_JOB_SECONDS = _metric(
    "worker_job_seconds", H, "type", "How long attempts at jobs took, in seconds.", JOB_BUCKETS
)
WORKER_ENTITIES = _metric("worker_entities", C, "account", "Entities that attempts at jobs have gone through.")
WORKER_RUNNING = _metric("worker_running_jobs", G, "account", "Jobs that this worker is doing now.")
WORKER_LOOK = _metric(
    "worker_last_look_timestamp_seconds", G, "account", "When the queue was last looked at, in seconds since 1970."
)

METRICS = (
    BUILD_INFO,
    REQUESTS,
    REQUEST_SECONDS,
    STORAGE_CALLS,
    STORAGE_SECONDS,
    STORAGE_ERRORS,
    READS,
    AUTHENTICATION_FAILURES,
    RING_RELOADS,
    SIGNED_LINKS,
    MALFORMED_ROWS,
    JOBS,
    OLDEST_PENDING,
    QUEUE_MESSAGES,
    KEYS,
    NEXT_KEY_END,
    ACCOUNT_BROKEN,
    ACCOUNT_FAULT,
    LOAD_NEED,
    CENSUS_TIME,
    WORKER_JOBS,
    WORKER_JOB_SECONDS,
    WORKER_ENTITIES,
    WORKER_RUNNING,
    WORKER_LOOK,
)
