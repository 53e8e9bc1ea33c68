"""SECURITY.md's table of roles says what serve and worker ask of storage, no more and no less."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from adapters.blobs.sas_links import SasLinkSigner, SasSigner
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource
from adapters.model.jobs import JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.audit_rows import AuditEntry
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.worker_rows import WorkerRow
from proxy.bootstrap import ensure_storage_resources
from proxy.observability.metrics.catalog import Metrics
from proxy.observability.metrics.inventory import InventoryCollector
from proxy.observability.usage import Requester, UsageCounter
from proxy.observability.usage_writer import UsageWriter
from proxy.operations.checks import CheckLimits, check_accounts
from proxy.operations.entity_queries import EntityQueries, EntityQuery
from proxy.operations.job_changes import abort_job, retry_job
from proxy.operations.job_views import find_job
from proxy.operations.source_changes import SourceChanges
from proxy.settings import load_settings
from proxy.worker.attempt import Attempt
from proxy.worker.cleanup import clean_up
from proxy.worker.usage_sweep import sweep_usage
from tests.conftest import StartServer
from tests.deploy.bicep_roles import SECURITY, documented_roles
from tests.integration.security.asked import BLOBS, CREATE, ENTITIES, MESSAGES, Recorder
from tests.integration.worker.test_attempts import fail_calls
from tests.integration.worker.test_worker import ring_of, wait_for_jobs, working
from tests.support.live import MASTER, LiveServer
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

ACTIONS: dict[tuple[str, str], set[str]] = defaultdict(set)
for (_who, _on, _), _actions in documented_roles(SECURITY.read_text(encoding="utf-8"))[1].items():
    # The others are asked outside of storage, or of the key store, which is a storage account of its own.
    if _on != "table keys" and not any(_action.startswith("Microsoft.") for _action in _actions):
        ACTIONS[_who, _on] |= _actions

# Only an identity asks for it: tests/integration/security/test_identities.py.
DELEGATION = ("serve", "account")


class Client:
    """Who has a master key, and whoever does its jobs."""

    def __init__(self, server: LiveServer, recorder: Recorder) -> None:
        self._server = server
        self._recorder = recorder

    def create(self, method: str, path: str, content: bytes | Iterator[bytes] = b"", **query: str) -> str:
        """Asks for a job; gives its id, or nothing where it is refused."""
        self._recorder.who = "serve with writes"
        url = f"{self._server.url}/REST/v1/{path}"
        answer = self._server.client.request(method, url, params={"key": MASTER} | query, content=content)
        # A deletion is answered without a body.
        return (
            str(answer.json()["resourceSets"][0]["resources"][0]["id"]) if answer.is_success and answer.content else ""
        )

    def load(self, content: bytes | Iterator[bytes], operation: str) -> str:
        query = {"dataSourceName": "Shops", "input": "csv", "loadOperation": operation}
        return self.create("POST", "Dataflows/LoadDataSource", content, **query)

    def look(self, access: str, download: str) -> None:
        """Looks at all that is told, queries the data source, and opens the download's link.

        The client opens it, by the rights of who signed.
        """
        self._recorder.who = "serve"
        for path in ("Dataflows/ListJobs", "Dataflows/DataSourceDownload/Shops", "data", f"data/{access}/Shops/Shops"):
            assert self._server.get(path).status_code == 200
        self._recorder.note("GET", self.links(download)[1], None, {})

    def links(self, job: str) -> list[str]:
        kind = "DataSourceDownload" if self._recorder.who == "serve" else "LoadDataSource"
        return [str(link["url"]) for link in self._server.job(f"Dataflows/{kind}/{job}")["links"]]


@pytest.fixture
def recorder(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    # What the watch of a load's needs may not look at it leaves alone for an hour.
    monkeypatch.setattr("proxy.observability.load_needs.INTERVAL_SECONDS", 3600.0)
    return Recorder.on(monkeypatch, storage)


def test_serve_and_worker_need_exactly_their_roles(
    storage: Storage, start: StartServer, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(start(storage, storage_timeout=20), recorder)

    async def done(desk: Desk, *jobs: str) -> None:
        recorder.who = "worker"
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring):
            await wait_for_jobs(desk, *jobs)
        await clean_up(desk.account)
        monkeypatch.setattr("proxy.worker.usage_sweep.HOURS_KEPT", -86_400 * PER_SECOND)
        await sweep_usage(desk.account)

    async def count(hour: int) -> None:
        recorder.who = "serve"
        moment = datetime.now(UTC).replace(hour=hour).timestamp()
        counter, ring = UsageCounter(clock=lambda: moment), ring_of(storage)
        counter.count(Requester(storage.account, "a" * 16, None), "job_list")
        async with ring.accounts:
            await UsageWriter(counter, ring).write()

    async def story(desk: Desk) -> None:
        first = client.load(shops("a"), "complete")
        assert client.load(iter(()), "complete") == ""  # what was stored for it is deleted
        recorder.who = "worker"
        lease = await desk.account.queue.receive()
        assert lease is not None
        assert await lease.renew()
        await Attempt(desk.account, lease, desk.context).give_back()
        # The second one writes an error log.
        await done(desk, first, client.load(shops("b", more="b,twice"), "incremental"))
        access = client.links(first)[1].split("/")[-2]
        downloads = [client.create("GET", f"Dataflows/DataSourceDownload/{access}/Shops") for _ in range(2)]
        await done(desk, *downloads)
        client.look(access, downloads[1])
        ring = ring_of(storage)
        async with ring.accounts:
            await InventoryCollector(ring, Metrics(CollectorRegistry()), timedelta(days=15), 5).collect()
        await count(10)
        await done(desk, client.create("GET", f"Dataflows/DataSourceRollback/{first}/Shops"))
        await count(11)
        client.create("DELETE", f"data/{access}/Shops")
        recorder.who = "nobody"
        await desk.account.workers.write(WorkerRow("host:7:a1b2c3", Ticks(0), "0.1.0"))
        storage.blobs.get_blob_client("exports", f"{storage.account}/{first}/0123456789ab/lost.xml").upload_blob(b"")
        await desk.account.audit.write(AuditEntry("amy", "jobs retry", first))
        monkeypatch.setattr("proxy.worker.cleanup.RETENTION_SECONDS", -1.0)
        monkeypatch.setattr("proxy.worker.cleanup.KEEP_AUDIT", -86_400 * PER_SECOND)
        waiting = [record async for record in desk.account.jobs.iterate() if record.job_type is JobType.DELETE]
        await done(desk, *(record.row_key for record in waiting))
        assert await desk.source() is None

    play(storage, story)
    others = {key: actions for key, actions in ACTIONS.items() if key[0] in {"serve", "serve with writes", "worker"}}
    assert needed(recorder) == {key: actions for key, actions in others.items() if key != DELEGATION}


def test_operators_need_exactly_their_roles(
    storage: Storage, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)

    async def story(desk: Desk) -> None:
        account = desk.account
        with monkeypatch.context() as patch:
            fail_calls(patch, DataSourceStore, "change", *([ConflictError("others")] * 3))
            failed = await desk.done(desk.load(shops("a", "a")))  # with an error log
        await desk.done(desk.load(shops("b"), name="Coffee"))
        recorder.who = "operator"
        await retry_job(await find_job([account], failed.row_key), "amy")
        await abort_job(await find_job([account], failed.row_key), "amy")
        await account.jobs.upsert([failed])  # jobs put
        changes = SourceChanges(account, load_settings(keyring="{}"), "amy")
        await changes.set_public("Coffee", public=True)
        await account.data_sources.change(
            "New", lambda found: found or DataSource(name="New", access_id="a", created=Ticks(0))
        )
        async with EntityQueries.open(tmp_path, 64) as queries:
            assert (await queries.run(account, "Coffee", EntityQuery({}))).entities
        recorder.who = "nobody"

    play(storage, story)
    operators = {key: actions for key, actions in ACTIONS.items() if key[0] == "operator"}
    asked = needed(recorder)
    # A message may be put by the right to write one, too, which the documented role has.
    asked["operator", "queue"] = (
        {MESSAGES + "write"} if asked["operator", "queue"] == {MESSAGES + "add/action"} else set()
    )
    assert asked == operators


def test_a_console_with_changes_may_do_what_operators_do_by_commands() -> None:
    """The operations contract, section 6: as the operator; read-only: the Reader roles."""
    for (who, on), actions in ACTIONS.items():
        if who == "operator":
            shown, changed = (ACTIONS.get((name, on), set()) for name in ("console", "console with changes"))
            assert actions <= shown | changed, on


def needed(recorder: Recorder) -> dict[tuple[str, str], set[str]]:
    """What was asked for, without what the tests asked and what only a missing table, queue or container makes."""
    asked = {key: actions - CREATE for key, actions in recorder.asked.items() if key[0] != "nobody"}
    for (who, on), actions in asked.items():
        if who == "serve with writes":
            actions.difference_update(asked.get(("serve", on), set()))
        if MESSAGES + "write" in actions:
            actions.discard(MESSAGES + "add/action")  # either may put a message
    return {key: actions for key, actions in asked.items() if actions}


def test_check_only_reads_what_serve_or_a_worker_may_read(storage: Storage, recorder: Recorder) -> None:
    async def story() -> None:
        async with ring_of(storage).accounts as accounts:
            assert all(check.is_sound for check in await check_accounts(accounts, CheckLimits(5)))

    recorder.who = "serve"
    asyncio.run(story())
    parts = ("table jobs", "table datasources", "queue", "container exports", "container uploads")
    assert recorder.asked.keys() == {("serve", part) for part in (*parts, "container datasources")}
    for (_, part), actions in recorder.asked.items():
        holder = "worker" if part == "container uploads" else "serve"
        assert actions <= ACTIONS[holder, part], part


def test_only_a_signing_process_requests_keys(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_links: SasLinkSigner) -> SasSigner:
        raise StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403")

    async def story() -> None:
        async with ring_of(storage).accounts as accounts:
            await ensure_storage_resources(accounts, 5, signs_links=False)
            assert caplog.messages == []
            await ensure_storage_resources(accounts, 5)

    monkeypatch.setattr(SasLinkSigner, "signer", refuse)
    asyncio.run(story())
    assert [message.partition(":")[0] for message in caplog.messages] == ["no key to sign links"]


@pytest.mark.parametrize(
    ("method", "url", "headers", "asked"),
    [
        ("GET", "{Blob}/exports/a/b.xml?sig=x", {}, ("container exports", {BLOBS + "read"})),
        ("PUT", "{Blob}/exports/a?comp=block&blockid=1", {}, ("container exports", {BLOBS + "write"})),
        ("PUT", "{Blob}/exports?restype=container", {}, ("account", {"blobServices/containers/write"})),
        (
            "PUT",
            "{Table}/{jobs}(PartitionKey='a')",
            {},
            ("table jobs", {ENTITIES + "add/action", ENTITIES + "update/action"}),
        ),
        ("PUT", "{Table}/{jobs}(PartitionKey='a')", {"If-Match": "*"}, ("table jobs", {ENTITIES + "update/action"})),
        (
            "DELETE",
            "{Table}/datasources(PartitionKey='a')",
            {"If-Match": "*"},
            ("table datasources", {ENTITIES + "delete"}),
        ),
        ("PUT", "{Queue}/some/messages/1", {}, ("queue", {MESSAGES + "write"})),
    ],
)
def test_a_request_maps_to_data_actions(
    method: str, url: str, headers: dict[str, str], asked: tuple[str, set[str]], storage: Storage
) -> None:
    endpoints = dict(part.partition("=")[::2] for part in storage.connection_string.split(";"))
    names = {service: endpoints[f"{service}Endpoint"] for service in ("Blob", "Table", "Queue")}
    recorder = Recorder(storage, who="me")
    recorder.note(method, url.format(jobs=storage.table_name, **names), None, headers)
    assert recorder.asked == {("me", asked[0]): asked[1]}
