"""Every metric. Imported only where PROXY_METRICS_PORT is set, because prometheus_client takes memory and time.

A label holds an account or the name of a key, the program's version, or a word of a fixed list: never a path, an id or
a key. So the ring bounds the number of series, and a limit those of accounts and of names.
"""

import math
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from proxy.observability.storage_observer import KEY_STORE
from proxy.version import VERSION
from proxy.wire.envelope import Authentication
from proxy.wire.errors import ErrorCode

PREFIX = "spatial_proxy_"

# Seconds. A cached response takes some tens of microseconds, a request may wait for storage until its deadline.
REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FETCH_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
MAPS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 70.0)
JOB_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

# Accounts with series of their own. The others share one label: a ring may have thousands.
MAX_ACCOUNTS = 200
OTHER, NONE = "other", "none"

# Names of keys with series of their own. The others share one label, and so do keys without a name.
MAX_KEYS = 200
OUTCOMES = ("answered", "error", "refused", "not_served")
"""In the order of `adapters.model.usage`."""

# The time when a series began would be one more series beside each.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the client has no types here


class Metrics:
    """The metrics of a process. Those of the worker stay without series in a server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._accounts: set[str] = set()
        self._keys: set[str] = set()
        counter = partial(Counter, registry=registry, namespace=PREFIX[:-1])
        gauge = partial(Gauge, registry=registry, namespace=PREFIX[:-1])
        histogram = partial(Histogram, registry=registry, namespace=PREFIX[:-1])

        self.build_info = gauge("build_info", "Always 1; the label has the version that runs.", ["version"])
        self.requests = counter("requests", "Requests answered.", ["operation", "status", "account"])
        self.key_requests = counter(
            "key_requests",
            "Requests with a valid key, by the key's name and the outcome: answered, error, refused or not_served.",
            ["account", "key", "outcome"],
        )
        self.request_duration = histogram(
            "request_duration_seconds",
            "From request to response, in seconds.",
            ["operation"],
            buckets=REQUEST_BUCKETS,
        )
        self.storage_requests = counter(
            "storage_requests",
            "Requests to storage that have ended, successful or not.",
            ["account", "service", "call"],
        )
        self.storage_call_duration = histogram(
            "storage_call_duration_seconds",
            "Duration of requests to storage, in seconds.",
            ["service"],
            buckets=REQUEST_BUCKETS,
        )
        self.storage_errors = counter(
            "storage_errors",
            "Requests to storage that failed, by reason, and reads that the circuit breaker rejected.",
            ["account", "service", "reason"],
        )
        self.job_cache_lookups = counter(
            "job_cache_lookups",
            "Look-ups of jobs and job lists: in the cache, in another request's read, or in storage.",
            ["account", "result"],
        )
        self.authentication_failures = counter(
            "authentication_failures",
            "Requests refused for their key, by authenticationResultCode, or `revoked`.",
            ["code"],
        )
        self.keyring_reloads = counter(
            "keyring_reloads", "Changes of the key ring file, taken (success) or refused (failure).", ["result"]
        )
        self.query_version_fetch_duration = histogram(
            "query_version_fetch_duration_seconds",
            "From the first query of a version to its file on the disk, in seconds.",
            buckets=FETCH_BUCKETS,
        )
        self.signed_links = counter("signed_links", "Links signed; a reused link counts once.", ["account"])
        self.malformed_rows = counter(
            "malformed_rows", "Rows that can't be shown, each with one line in the log.", ["account"]
        )

        self.jobs = gauge(
            "jobs", "Jobs in the job list's window, by state and by age since creation.", ["account", "state", "age"]
        )
        self.oldest_pending_job = gauge(
            "oldest_pending_job_seconds", "Age of the oldest unfinished job of the window, 0 without one.", ["account"]
        )
        self.queue_messages = gauge(
            "queue_messages", "Jobs that wait for a worker or are being done, approximately.", ["account"]
        )
        self.keys = gauge(
            "keys", "Keys, valid or expired; of a key store also revoked, counted by one process.", ["account", "state"]
        )
        self.next_key_expiry = gauge(
            "next_key_expiry_timestamp_seconds",
            "When the next valid key expires, in seconds since 1970; none where no key expires.",
            ["account"],
        )
        self.key_store_age = gauge(
            "key_store_age_seconds",
            "Since the key store was last read, or since the start where it never was; NaN without a key store.",
        )
        self.key_store_reads = counter(
            "key_store_reads",
            "Reads of the key store: a key's row was found, missing or malformed; the change row was looked at; the"
            " store failed; or the read was shed, as too many had found nothing.",
            ["result"],
        )
        self.key_cache_entries = gauge(
            "key_cache_entries", "Keys of the key store in memory, known or unknown.", ["kind"]
        )
        self.account_up = gauge("account_up", "0 where the account's storage can't be opened or read.", ["account"])
        self.account_fault = gauge(
            "account_fault", "1 for the reason that keeps the account's storage from being read.", ["account", "reason"]
        )
        self.load_need = gauge(
            "load_need",
            "1 where what loads need is there, 0 where it is missing or does not answer.",
            ["account", "need"],
        )
        self.inventory_last_success = gauge(
            "inventory_last_success_timestamp_seconds",
            "When jobs and queue were last counted, in seconds since 1970.",
            ["account"],
        )

        self.maps_items = counter(
            "maps_items",
            "Items of Azure Maps: asked, which is billed; repeated among those; answered or failed in the end.",
            ["account", "outcome"],
        )
        self.maps_call_duration = histogram(
            "maps_call_duration_seconds",
            "Duration of calls of Azure Maps, in seconds.",
            ["operation"],
            buckets=MAPS_BUCKETS,
        )
        self.maps_errors = counter(
            "maps_errors", "Calls of Azure Maps without an answer, by reason.", ["account", "reason"]
        )
        self.maps_day_share = gauge(
            "maps_day_share",
            "Share of the day's items of Azure Maps that all processes have used; NaN without a bound.",
            ["account"],
        )

        self.shadows = counter(
            "shadows",
            "Reads that were sampled for PROXY_SHADOW_URL: same, different, not comparable, failed or shed.",
            ["account", "operation", "outcome"],
        )
        self.worker_jobs = counter("worker_jobs", "Attempts at jobs that have ended.", ["account", "type", "outcome"])
        self.worker_job_duration = histogram(
            "worker_job_duration_seconds", "Duration of attempts at jobs, in seconds.", ["type"], buckets=JOB_BUCKETS
        )
        self.worker_entities = counter(
            "worker_entities", "Entities that attempts at jobs have gone through.", ["account"]
        )
        self.worker_running_jobs = gauge("worker_running_jobs", "Jobs that this worker is doing now.", ["account"])
        self.worker_last_poll = gauge(
            "worker_last_poll_timestamp_seconds", "When the queue was last polled, in seconds since 1970.", ["account"]
        )

        self.build_info.labels(VERSION).set(1)
        self.key_store_age.set(math.nan)
        # A counter that begins with its first event hides it from rate(), so those of alerts exist from the start.
        for result in ("success", "failure"):
            self.keyring_reloads.labels(result)
        for code in Authentication:
            if code is not Authentication.VALID:
                self.authentication_failures.labels(code.value)
        self.authentication_failures.labels(ErrorCode.REVOKED_KEY.value.reason)

    def account_label(self, name: str | None) -> str:
        """Returns the value of the label `account`: the name, while there are not too many of them."""
        if name is None:
            return NONE
        if name == KEY_STORE:
            return name
        if name not in self._accounts:
            if len(self._accounts) >= MAX_ACCOUNTS:
                return OTHER
            self._accounts.add(name)
        return name

    def key_labels(self, account: str | None, key: str | None, outcome: int) -> tuple[str, str, str]:
        """Returns the labels of `key_requests`: the name of the key, while there are not too many of them."""
        if key is None:
            key = NONE
        elif key not in self._keys:
            if len(self._keys) >= MAX_KEYS:
                key = OTHER
            else:
                self._keys.add(key)
        return self.account_label(account), key, OUTCOMES[outcome]

    def count_keyring_reload(self, outcome: str) -> None:
        """Counts a change of the key ring file that was `taken` or `refused`."""
        self.keyring_reloads.labels("success" if outcome == "taken" else "failure").inc()

    def count_shadow(self, account: str, operation: str, outcome: str) -> None:
        """Counts a read that was sampled for the other endpoint."""
        self.shadows.labels(self.account_label(account), operation, outcome).inc()

    def count_key_store_read(self, result: str) -> None:
        """Counts a read of the key store; `result` is one of its READ_RESULTS."""
        self.key_store_reads.labels(result).inc()

    def report_load_need(self, account: str, need: str, state: float) -> None:
        """Sets whether what loads need of an account is there: 1, 0, or NaN where that is not known."""
        if self.account_label(account) != OTHER:
            self.load_need.labels(account, need).set(state)

    def remove_account(self, name: str) -> None:
        """Removes the gauges of an account that has left the ring, so that no alert sees their last values."""
        of_no_account = (self.build_info, self.key_store_age, self.key_cache_entries)
        for metric in vars(self).values():
            if isinstance(metric, Gauge) and metric not in of_no_account:
                metric.remove_by_labels({"account": name})
