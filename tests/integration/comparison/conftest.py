"""Two servers in front of one account with data sources, jobs and a download."""

from collections.abc import Iterator

import pytest

from tests.support.live import LiveServer
from tests.support.queries import load, load_samples, start_querying, stores
from tests.support.storage import Storage


@pytest.fixture(scope="module")
def sides(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """Two servers, each with a host of its own in its links."""
    load_samples(account)
    load(account, stores(count=300), "Many")
    account.job("Geocode", "Completed", OutputBlob=account.export(b"1|2", "done.txt"), TotalEntityCount=3)
    account.job("DataSourceAccess", "Completed", DataSourceName="Many", AccessId="0" * 32)
    account.job("DataSourceComplete", "Failed", DataSourceName="Many", ErrorMessage="No latitude.", Description="Load")
    account.download("Many", OutputBlob=account.export(b"<ManyData><Stores><Id>1</Id></Stores></ManyData>"))
    folder = tmp_path_factory.mktemp("versions")
    with (
        start_querying(account, folder / "left") as left,
        start_querying(account, folder / "right", public_url="http://127.0.0.1", time_zone="Europe/Berlin") as right,
    ):
        yield left, right
