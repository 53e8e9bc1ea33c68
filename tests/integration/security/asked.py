"""What is asked of storage, in the words of Azure's access control: which data action, on what."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
import pytest

from tests.support.storage import Storage

# Actions as Microsoft's "Permissions for calling data operations" has them for each operation.
ENTITIES = "tableServices/tables/entities/"
BLOBS = "blobServices/containers/blobs/"
MESSAGES = "queueServices/queues/messages/"
CREATE = {"tableServices/tables/write", "queueServices/queues/write", "blobServices/containers/write"}

_OF_BLOBS = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}
_OF_ROWS = {"GET": "read", "POST": "add/action", "PATCH": "update/action", "MERGE": "update/action", "DELETE": "delete"}
_OF_MESSAGES = {"GET": "process/action", "POST": "add/action", "PUT": "write", "DELETE": "process/action"}
_IN_A_BATCH = re.compile(rb"^(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r?\n((?:[^\r\n]+\r?\n)*)", re.MULTILINE)


@dataclass
class Recorder:
    """Who asked for which action on what; `who` is whoever is at work."""

    storage: Storage
    who: str = "nobody"
    asked: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def on(cls, monkeypatch: pytest.MonkeyPatch, storage: Storage) -> "Recorder":
        """One that sees every request that this process sends by aiohttp; each goes on as it was."""
        recorder, before = cls(storage), aiohttp.ClientSession._request  # noqa: SLF001 - all requests pass it

        async def request(session: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Any:
            recorder.note(method, str(url), options.get("data"), options.get("headers") or {})
            return await before(session, method, url, **options)

        monkeypatch.setattr(aiohttp.ClientSession, "_request", request)
        return recorder

    def note(self, method: str, url: str, body: object, headers: Any) -> None:
        """Notes one request, each part of a transaction alone."""
        for on, action in self._actions(method, url, body, dict(headers)):
            self.asked[self.who, on].add(action)

    def _actions(self, method: str, url: str, body: object, headers: dict[str, str]) -> Iterator[tuple[str, str]]:
        parts = urlsplit(url)
        path, query = unquote(parts.path).strip("/").split("/")[1:], parse_qs(parts.query)
        endpoint = f":{parts.port}/"
        if endpoint in self._endpoint("Table"):
            yield from self._of_tables(method, path, body, headers)
        elif endpoint in self._endpoint("Queue"):
            yield "queue", self._of_queues(method, path)
        elif len(path) > 1:
            yield f"container {path[0]}", BLOBS + _OF_BLOBS[method]
        elif query.get("comp") == ["list"]:
            yield f"container {path[0]}", BLOBS + "read"
        elif query["restype"] == ["service"]:
            return  # the rule of CORS: a right to manage the account, which a server does without
        else:
            assert (method, query["restype"]) == ("PUT", ["container"])
            yield "account", "blobServices/containers/write"

    def _endpoint(self, service: str) -> str:
        return self.storage.connection_string.split(f"{service}Endpoint=")[1].partition(";")[0]

    def _of_tables(
        self, method: str, path: list[str], body: object, headers: dict[str, str]
    ) -> Iterator[tuple[str, str]]:
        if path[0] == "$batch":
            assert isinstance(body, bytes | str)
            for found in _IN_A_BATCH.finditer(body.encode() if isinstance(body, str) else body):
                inner = dict(line.partition(": ")[::2] for line in found[3].decode().splitlines())
                yield from self._of_tables(
                    found[1].decode(), [unquote(found[2].decode()).rpartition("/")[2]], b"", inner
                )
        elif path[0] == "Tables":
            yield "account", "tableServices/tables/write"
        else:
            name = path[0].partition("(")[0]
            if re.fullmatch("jobs[0-9a-f]{8,}", name) and name != self.storage.table_name:
                return  # what a server of another test still has to do
            on = "table jobs" if name == self.storage.table_name else f"table {name}"
            conditional = any(each.lower() == "if-match" for each in headers)
            for action in self._of_rows(method, conditional=conditional):
                yield on, ENTITIES + action

    @staticmethod
    def _of_rows(method: str, *, conditional: bool) -> tuple[str, ...]:
        if method in {"PUT", "PATCH", "MERGE"}:  # without a condition it makes what is missing, too
            return ("update/action",) if conditional else ("add/action", "update/action")
        return (_OF_ROWS[method],)

    @staticmethod
    def _of_queues(method: str, path: list[str]) -> str:
        if len(path) == 1:
            return "queueServices/queues/read" if method in {"GET", "HEAD"} else "queueServices/queues/write"
        return MESSAGES + _OF_MESSAGES[method]
