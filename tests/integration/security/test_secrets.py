"""Marked secrets are driven through every error path; then all output is searched for them."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from proxy.demo.azurite import Emulator
from proxy.observability.logs import mask
from tests.integration.security.identities import CREDENTIALS, SECRET_VARIABLE, identity_account
from tests.support.entra import GARBLED_TOKEN, HEADER, Entra
from tests.support.live import MASTER, NO_TLS, wait_for
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.stub_servers import hang, listening, saying

# Each looks like what it stands for, and occurs nowhere else.
KEYS = {
    name: f"MARKED-{name}-KEY-9c1f" for name in ("master", "query", "expired", "broken", "refused", "hangs", "html")
}
UNKNOWN = "MARKED-UNKNOWN-KEY-77aa"
ACCOUNT_KEY = "TUFSS0VELUFDQ09VTlQtS0VZLTEyMzQ1Njc4OTA="
CLIENT_SECRET = "MARKED-CLIENT-SECRET-5b5b"  # noqa: S105 - opens nothing
SECRETS = [
    *KEYS.values(),
    UNKNOWN,
    ACCOUNT_KEY,
    CLIENT_SECRET,
    HEADER,
    EMULATOR_KEY,
    GARBLED_TOKEN,
    "sig=",
    "Bearer ey",
]


def connection(url: str, key: str = ACCOUNT_KEY, name: str = "a") -> dict[str, object]:
    text = f"AccountName={name};AccountKey={key};TableEndpoint={url};BlobEndpoint={url}"
    return {"storage": {"connection_string": text}}


@pytest.fixture
def ring_file(
    tmp_path: Path, storage: Storage, emulator: Emulator, secure_emulator: Emulator, entra: Entra
) -> Iterator[Path]:
    """A ring whose accounts fail in every way, with marked secrets everywhere."""
    entra.refuses = True
    html = saying("200 OK", b"<html></html>", "Content-Type: text/html")
    with listening(hang) as silent, listening(html) as nonsense:
        ring = {
            "accounts": {
                storage.account: {"storage": {"connection_string": storage.connection_string}},
                "broken": {"storage": {"connection_string": f"AccountKey={ACCOUNT_KEY}"}},
                "refused": connection(
                    f"http://127.0.0.1:{emulator.table_port}/devstoreaccount1", name="devstoreaccount1"
                ),
                "hangs": connection(f"http://127.0.0.1:{silent}/a"),
                "html": connection(f"http://127.0.0.1:{nonsense}/a"),
                "identity": identity_account(secure_emulator, CREDENTIALS["client secret"]),
            },
            "keys": {
                KEYS["master"]: {"account": storage.account},
                KEYS["query"]: {"account": storage.account, "role": "query"},
                KEYS["expired"]: {"account": storage.account, "expires": "2020-01-01T00:00:00Z"},
                MASTER: {"account": "identity"},
                **{KEYS[name]: {"account": name} for name in ("broken", "refused", "hangs", "html")},
            },
        }
        path = tmp_path / "ring.json"
        path.write_text(json.dumps(ring), encoding="utf-8")
        yield path


def every_error(server: Served) -> list[httpx.Response]:
    """Asks for all that can go wrong, with keys in every place where clients put them."""
    answers = []
    with httpx.Client(timeout=60, verify=NO_TLS) as client:
        for key in [*KEYS.values(), MASTER, UNKNOWN]:
            for path in (
                "Dataflows/ListJobs",
                f"Dataflows/LoadDataSource/{'0' * 32}",
                f"Dataflows/LoadDataSource/{quote('?key=' + key)}",
                "Dataflows/DataSourceDownload/Coffee/output/succeeded",
                "Dataflows/DataSourceDownload/bad%20name",
                f"nothing/here?key={key}",
            ):
                for form in ("json", "xml", "pdf"):
                    query = {"key": key, "output": form}
                    answers.append(client.get(f"{server.url}/REST/v1/{path}", params=query))
        headers = {"Authorization": f"Bearer {KEYS['master']}", "Cookie": f"key={KEYS['master']}"}
        answers.append(client.post(f"{server.url}/REST/v1/Dataflows/ListJobs?key={UNKNOWN}", headers=headers))
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"GARBAGE /?key={KEYS['master']}\r\n\r\n".encode())
        raw.recv(65536)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize(("level", "form"), [("debug", "json"), ("info", "text")])
def test_no_error_path_reveals_a_secret(
    storage: Storage, ring_file: Path, entra: Entra, monkeypatch: pytest.MonkeyPatch, level: str, form: str
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    storage.row("0" * 32, JobType="Nonsense")
    with serving(storage, keyring_file=ring_file, log_level=level, log_format=form, storage_timeout=0.5) as server:
        answers = list[httpx.Response]()

        def has_all() -> bool:  # not at once where the machine stalls: then storage is late
            answers.extend(every_error(server))
            return {401, 404, 405, 400, 500, 503} <= {answer.status_code for answer in answers}

        wait_for(has_all)
        ring_file.write_text(f'{{"keys": {{"{UNKNOWN}": ', encoding="utf-8")  # a broken ring is logged too
        wait_for(lambda: "the last good ring stays" in server.log())
        answers += [server.get("Dataflows/ListJobs", KEYS["master"]) for _ in range(2)]
        entra.refuses, entra.garbles = False, True
        asked = len(entra.asked)

        def is_asked() -> bool:
            answers.append(server.get("Dataflows/ListJobs", MASTER))
            return len(entra.asked) > asked

        wait_for(is_asked)
    output = server.log() + "".join(f"{answer.headers}{answer.text}" for answer in answers)
    found = [secret for secret in SECRETS if secret.lower() in output.lower()]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "GET /REST/v1/Dataflows/ListJobs?o=xml&key=SECRET&clientApi=x",
        "https://a.blob.core.windows.net/c/b?sv=1&sig=SECRET",
        "output/succeeded%3Fkey%3DSECRET",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=SECRET;EndpointSuffix=core.windows.net",
        "Authorization: Bearer SECRET",
        "Authorization: SharedKey a:SECRET",
        "SharedAccessSignature=SECRET",
        "KEY=SECRET",
        "client_secret=SECRET",
        '{"access_token": "SECRET", "expires_in": ',
        "'key': 'SECRET'",
        "AccountKey = SECRET",
        "key=SECRET,SECRET",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "SECRET" not in mask(text).replace("client_secret", "")


@pytest.mark.slow
def test_the_access_log_masks_the_key(storage: Storage) -> None:
    with serving(storage) as server:
        server.get("Dataflows/ListJobs")
    (line,) = [json.loads(text) for text in server.log().splitlines() if "job_list" in text]
    assert (line["path"], line["message"]) == ("/REST/v1/Dataflows/ListJobs?key=***", "job_list 200")
    assert len(line["traceId"]) == 32
    assert MASTER not in server.log()
