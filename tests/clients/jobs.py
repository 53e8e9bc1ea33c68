"""Jobs as legacy applications meet them, with an output in storage."""

from tests.support.live import MASTER, PUBLIC_URL, LiveServer
from tests.support.storage import Storage

CONTENT = b"EntityID|Latitude|Longitude\n1|47.6|-122.3\n"


def load_job(account: Storage, status: str = "Completed") -> str:
    """A load job with an output, a data source to link to, and no error log."""
    return account.job(
        status=status,
        DataSourceName="FourthCoffeeSample",
        AccessId="20181f26d9e94c81acdf9496133d4f23",
        OutputBlob=account.export(CONTENT, "export.txt"),
    )


def status_url(proxy: LiveServer, job_id: str, query: str = "") -> str:
    """A load job's status URL as its creator was given it, with the key that clients put behind it."""
    return f"{proxy.url}/REST/v1/Dataflows/LoadDataSource/{job_id}?key={MASTER}{query}"


def reachable(link: str, proxy: LiveServer) -> str:
    """A link, with the public URL led to where the test's server listens, as DNS does it."""
    return link.replace(PUBLIC_URL, proxy.url)
