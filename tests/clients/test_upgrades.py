"""Programs whose HTTP library asks for HTTP/2 with each request over http: their loads are taken as they were sent."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.live import MASTER, LiveServer
from tests.support.storage import Storage
from tests.support.stored_jobs import Written

CONTENT = "\ufeffBing Spatial Data Services, 1.0, Größe\r\n".encode() * 20_000

COMMANDS = {
    "Java's HttpClient": ("java", str(Path(__file__).parent / "Load.java"), "{file}", "{url}", "{url}"),
    "curl --http2": (
        *("curl", "--http2", "--silent", "--write-out", "%{{http_code}}\n", "--output", "/dev/null", "--globoff"),
        *("--data-binary", "@{file}", "{url}", "--next", "--http2", "--silent", "--write-out", "%{{http_code}}\n"),
        *("--output", "/dev/null", "--globoff", "--data-binary", "@{file}", "{url}"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_loads_with_an_http_2_upgrade_are_stored(
    command: tuple[str, ...], server: LiveServer, storage: Storage, tmp_path: Path
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    file = tmp_path / "shops.csv"
    file.write_bytes(CONTENT)
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource?dataSourceName=Shops&loadOperation=complete&input=csv"
    told = [part.format(file=file, url=f"{url}&key={MASTER}") for part in command]
    ended = subprocess.run(told, capture_output=True, check=False, timeout=100)
    assert ended.stdout.split() == [b"201", b"201"], ended.stderr
    written = Written(storage)
    uploads = [job["Work"]["upload"] for job in written.jobs()]
    assert [written.upload(upload) for upload in uploads] == [CONTENT, CONTENT]
