"""Marked secrets are driven through every error path; then all output is searched for them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from proxy.demo.azurite import Emulator
from proxy.observability.logs import mask
from tests.integration.security.identities import CREDENTIALS, SECRET_VARIABLE, identity_account
from tests.support.entra import GARBLED_TOKEN, HEADER, Entra
from tests.support.live import MASTER, NO_TLS
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage

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


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that says the same to everybody, or nothing; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        listener.close()


def connection(url: str, key: str = ACCOUNT_KEY, name: str = "a") -> dict[str, object]:
    text = f"AccountName={name};AccountKey={key};TableEndpoint={url};BlobEndpoint={url}"
    return {"storage": {"connection_string": text}}


@pytest.fixture
def ring_file(
    tmp_path: Path, storage: Storage, emulator: Emulator, secure_emulator: Emulator, entra: Entra
) -> Iterator[Path]:
    """A ring whose accounts fail in every way, with marked secrets everywhere."""
    entra.refuses = True
    html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    with answering(None) as silent, answering(html) as nonsense:
        ring = {
            "accounts": {
                storage.account: {"storage": {"connection_string": storage.connection_string}},
                "broken": {"storage": {"connection_string": f"AccountKey={ACCOUNT_KEY}"}},
                "refused": connection(
                    f"http://127.0.0.1:{emulator.table_port}/devstoreaccount1", name="devstoreaccount1"
                ),
                "hangs": connection(silent),
                "html": connection(nonsense),
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
                answers.append(httpx.get(f"{server.url}/REST/v1/{path}", params=query, timeout=30, verify=NO_TLS))
    headers = {"Authorization": f"Bearer {KEYS['master']}", "Cookie": f"key={KEYS['master']}"}
    answers.append(httpx.post(f"{server.url}/REST/v1/Dataflows/ListJobs?key={UNKNOWN}", headers=headers, verify=NO_TLS))
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"GARBAGE /?key={KEYS['master']}\r\n\r\n".encode())
        raw.recv(65536)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize(("level", "form"), [("debug", "json"), ("info", "text"), ("error", "json")])
def test_no_error_path_reveals_a_secret(
    storage: Storage, ring_file: Path, entra: Entra, monkeypatch: pytest.MonkeyPatch, level: str, form: str
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CLIENT_SECRET)
    storage.row("0" * 32, JobType="Nonsense")
    with serving(storage, keyring_file=ring_file, log_level=level, log_format=form, storage_timeout=0.5) as server:
        answers = every_error(server)
        ring_file.write_text(f'{{"keys": {{"{UNKNOWN}": ', encoding="utf-8")  # a broken ring is told of too
        answers += [server.get("Dataflows/ListJobs", KEYS["master"]) for _ in range(2)]
        entra.refuses, entra.garbles = False, True
        answers += [server.get("Dataflows/ListJobs", MASTER) for _ in range(2)]
    assert {401, 404, 405, 400, 500, 503} <= {answer.status_code for answer in answers}
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


def test_the_access_log_masks_the_key(storage: Storage) -> None:
    with serving(storage) as server:
        server.get("Dataflows/ListJobs")
    (line,) = [json.loads(text) for text in server.log().splitlines() if "job_list" in text]
    assert (line["path"], line["message"]) == ("/REST/v1/Dataflows/ListJobs?key=***", "job_list 200")
    assert len(line["traceId"]) == 32
    assert MASTER not in server.log()
