"""The command `migrate` as an operator runs it, in the test's process, with readers in threads and short waits."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.model.data_sources import DataSource
from proxy.cli.main import main
from proxy.migration.backoff import Backoff
from tests.support.inline_readers import InlineReaders
from tests.support.live import MASTER, PUBLIC_URL
from tests.support.migration_service import Service
from tests.support.storage import Storage
from tests.support.worker_desk import RUNNER, open_desk


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class MigrateCommand:
    """Moves an account into the storage; `folder` gets the state."""

    storage: Storage
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def __call__(self, source: Service | str, *arguments: str, key: str = MASTER, from_proxy: bool = True) -> Outcome:
        """Runs the command with the key on standard input."""
        url = source if isinstance(source, str) else source.server.url
        entry = {"storage": {"connection_string": self.storage.connection_string}}
        words = ["migrate", "--from", url, "--key", "-", "--state", str(self.state), *arguments]
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setenv("PROXY_KEYRING", json.dumps({"accounts": {self.storage.account: entry}, "keys": {}}))
            patch.setenv("PROXY_JOBS_TABLE", self.storage.table_name)
            patch.setenv("PROXY_PUBLIC_URL", PUBLIC_URL)
            patch.setattr("proxy.cli.migrate.ReaderPool", InlineReaders)
            patch.setattr("proxy.cli.migrate.Backoff", _hurried)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(key.encode()), encoding="utf-8"))
            status = main([*words, "--from-proxy"] if from_proxy else words)
        assert key not in out.getvalue() + err.getvalue()  # no key is ever printed
        return Outcome(status, out.getvalue(), err.getvalue())

    def sources(self) -> dict[str, DataSource]:
        """The data sources here, by their names."""

        async def read() -> dict[str, DataSource]:
            async with open_desk(self.storage) as desk:
                return {source.name: source for source in await desk.account.data_sources.list_all()}

        return RUNNER.run(read())

    def published(self, name: str = "Shops") -> tuple[str, int]:
        """The id and the number of entities of a published version."""
        version = self.sources()[name].published
        assert version is not None
        return version.job_id, version.entities

    def loads(self) -> dict[str, int]:
        """How often each data source was loaded here."""
        return {name: len(source.applied) for name, source in self.sources().items()}


def _hurried(progress: Any, *, no_wait: bool) -> Backoff:
    return Backoff(progress, no_wait=no_wait, retry_seconds=0, first_poll_seconds=0.02, last_poll_seconds=0.02)
