"""Clients that create jobs of their data sources one after the other, over HTTP."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSource
from benchmarks.storms.model import Sent

SIZES = (3, 50, 50, 2_000, 10_000)
MOST_WAITING = 4
IDLE_SECONDS = 120.0

LOADS = ("complete", "incremental", "incremental", "completeStaging", "incrementalStaging")


@dataclass
class Client:
    """The client of one data source. `answered` has the ids of the jobs that the server confirmed."""

    account: AccountStorage
    name: str
    key: str
    http: httpx.AsyncClient
    chance: random.Random
    sent: dict[str, Sent] = field(default_factory=dict)
    """The data of each load, by the description that it was sent with."""
    answered: list[str] = field(default_factory=list)
    deletes: int = 0
    """The number of confirmed deletes. Their responses name no job."""
    statuses: Counter[str] = field(default_factory=Counter)

    async def run(self, is_running: Callable[[], bool]) -> None:
        """Creates jobs, often one before the last one is done, but none behind a delete."""
        while is_running():
            is_delete = await self._create()
            if is_delete or self.chance.random() < 0.4 or await self._waiting() >= MOST_WAITING:
                await self._idle()

    async def _create(self) -> bool:
        """Creates a job of any possible kind; returns whether it deletes."""
        source = await self.account.data_sources.get(self.name)
        if source is None or self.chance.random() < 0.5:
            is_new = source is None and self.chance.random() < 0.7
            await self._load("complete" if is_new else self.chance.choice(LOADS))
            return False
        paths = [f"Dataflows/DataSourceDownload/{source.access_id}/{self.name}"]
        if source.staged is not None:
            paths.append(f"data/{source.access_id}/{self.name}/$commit")
        paths += [f"Dataflows/DataSourceRollback/{each.job_id}/{self.name}" for each in source.earlier]
        if self.chance.random() < 0.12:
            await self._delete(source)
            return True
        await self._request("GET", self.chance.choice(paths))
        return False

    async def _load(self, operation: str) -> None:
        description = f"{self.name} {len(self.sent) + 1}"
        sent = self._data(description, operation)
        self.sent[description] = sent
        query = {"dataSourceName": self.name, "loadOperation": operation, "input": "csv", "description": description}
        await self._request("POST", "Dataflows/LoadDataSource", query, _csv(sent, operation))

    def _data(self, note: str, operation: str) -> Sent:
        size = self.chance.choice(SIZES)
        first = self.chance.randrange(size)
        if operation.startswith("complete"):
            return Sent({f"{number}": note for number in range(first, first + size)})
        ids = [f"{number}" for number in range(first, first + max(1, size // 2))]
        deleted = frozenset(self.chance.sample(ids[1:], len(ids) // 3))
        return Sent({id_: note for id_ in ids if id_ not in deleted}, deleted)

    async def _delete(self, source: DataSource) -> None:
        staged = source.staged is not None and self.chance.random() < 0.5
        await self._request("DELETE", f"data/{source.access_id}/{self.name}", {"isStaging": "1"} if staged else {})

    async def _request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> None:
        parameters = {"key": self.key, "output": "json"} | dict(query or {})
        response = await self.http.request(method, f"/REST/v1/{path}", params=parameters, content=content)
        self.statuses[f"{method} {response.status_code}"] += 1
        if method == "DELETE":
            self.deletes += response.status_code == 202
        elif response.status_code in {201, 202}:
            (job,) = response.json()["resourceSets"][0]["resources"]
            self.answered.append(job["id"])
        elif response.status_code == 503:
            await asyncio.sleep(0.2)

    async def _waiting(self) -> int:
        jobs = await self.account.jobs.list_waiting("0")
        return sum(job.data_source_name == self.name and not job.is_unconfirmed for job in jobs)

    async def _idle(self) -> None:
        """Waits until all jobs of the data source are done, up to two minutes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                while await self._waiting():  # noqa: ASYNC110  storage changes
                    await asyncio.sleep(0.1)


def _csv(sent: Sent, operation: str) -> bytes:
    names = ["Id(Edm.String,primaryKey)", "Note(Edm.String)", "Latitude(Edm.Double)", "Longitude(Edm.Double)"]
    rows = [[id_, note, "1.5", "2.5"] for id_, note in sent.rows.items()]
    if operation.startswith("incremental"):
        names.append("__deleteEntity(Edm.Boolean)")
        rows = [[*row, "0"] for row in rows] + [[id_, "", "", "", "1"] for id_ in sent.deleted]
    lines = ["Bing Spatial Data Services, 1.0, Shops", ",".join(names), *(",".join(row) for row in rows)]
    return "\n".join(lines).encode()
