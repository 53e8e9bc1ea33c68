"""Two accounts of one key ring: one that is well, and one whose tables are behind a hop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from tests.support.fault_proxy import Hop
from tests.support.live import MASTER, PUBLIC_URL
from tests.support.storage import Storage

SICK = "key-of-the-sick"
DATA_SOURCE = "Coffee"


@dataclass(frozen=True)
class TwoAccounts:
    """The storage of both, the hop before the second, and jobs of the second: finished, pending, and a download.

    The first account's key is MASTER, the second's is SICK.
    """

    well: Storage
    sick: Storage
    hop: Hop
    finished: str
    pending: str
    download: str

    @classmethod
    @contextmanager
    def open(cls, storage: Storage) -> Iterator["TwoAccounts"]:
        """Two accounts in this storage's table."""
        sick = replace(storage, account=f"sick-{uuid4().hex[:8]}")
        with Hop.before(storage) as hop:
            yield cls(
                storage,
                sick,
                hop,
                sick.job("DataSourceAccess", OutputBlob="exports/a.xml"),
                sick.job(status="Pending"),
                sick.download(DATA_SOURCE, OutputBlob="exports/b.xml"),
            )

    @property
    def accounts(self) -> dict[str, Any]:
        """Both, as the key ring has them."""
        strings = {self.well.account: self.well.connection_string, self.sick.account: self.hop.connection_string}
        return {name: {"storage": {"connection_string": text}} for name, text in strings.items()}

    @property
    def keys(self) -> dict[str, Any]:
        """The key of each."""
        return {MASTER: {"account": self.well.account}, SICK: {"account": self.sick.account}}

    @property
    def settings(self) -> dict[str, object]:
        """What a server process in front of both needs."""
        return {
            "keyring": json.dumps({"accounts": self.accounts, "keys": self.keys}),
            "public_url": PUBLIC_URL,
            "jobs_table": self.well.table_name,
            "host": "127.0.0.1",
        }

    @property
    def paths(self) -> list[str]:
        """What can't be answered without the second account's storage: each kind of operation."""
        return [
            f"Dataflows/LoadDataSource/{self.pending}",
            f"data/jobs/{self.pending}/$getstatus",
            "Dataflows/ListJobs",
            f"Dataflows/LoadDataSource/{self.pending}/output/succeeded",
            f"Dataflows/DataSourceDownload/{DATA_SOURCE}",
        ]
