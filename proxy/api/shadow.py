"""The shadow: a sample of the reads goes to another endpoint too, and both answers are compared (operations.md, 4).

It begins when the client has its answer, in threads of its own, and is dropped where too many are under way. So it
never delays, changes or fails an answer.
"""

import http.client
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import random
from threading import BoundedSemaphore, Lock, Thread

from starlette.types import Scope

from proxy.comparison.answer import Answer
from proxy.comparison.connection import HttpRequest, TransportError, connect, describe_failure, read_body, send_request
from proxy.comparison.difference import Outcome, Question, Verdict, compare_answers, not_comparable
from proxy.comparison.origins import parse_base_url
from proxy.comparison.read_only import only_reads
from proxy.comparison.redaction import Redactor
from proxy.keyring.keyring import KeyGrant
from proxy.settings import Settings
from proxy.wire.request import parse_query
from proxy.wire.routes import Operation

log = logging.getLogger("proxy.shadow")

MARKER = "X-Spatial-Data-Proxy-Shadow"
"""A header of each request that a shadow sends. A server that sees it sends no shadow."""
MOST_UNDER_WAY = 10
MAX_BYTES = 1_000_000
"""Of an answer; a larger one is not compared."""
SECONDS = 10.0
MAX_MEMBERS_TEXT = 700
"""Characters of the members that differ, so that a line stays below 1 KB."""

QUESTIONS = {
    Operation.JOB_STATUS.value: Question.JOBS,
    Operation.JOB_LIST.value: Question.JOBS,
    Operation.DATA_SOURCES.value: Question.INFORMATION,
    Operation.DATA_SOURCE.value: Question.INFORMATION,
    Operation.PUBLIC_DATA_SOURCES.value: Question.INFORMATION,
    Operation.ALL_METADATA.value: Question.METADATA,
    Operation.METADATA.value: Question.METADATA,
    Operation.QUERY.value: Question.QUERY,
}
"""The operations that only read, and what they ask."""

SHED, FAILED = "shed", "failed"
_MARKER = MARKER.lower().encode()
_SERVER_ERROR = 500
_ROOT = re.compile(r"(?i)/+rest/+v1/+")

# What stands in the path of a member of this API. The other side writes names too, and a log line is ASCII and no link.
_ODD = re.compile(r"[^A-Za-z0-9_@:#$.()\[\]; -]")

Count = Callable[[str, str, str], object]
"""Counts a shadow: the account, the operation and the outcome."""


@dataclass(frozen=True, slots=True)
class ShadowedRead:
    """A read that was answered: who asked, what was sent, and our answer."""

    account: str
    key_name: str | None
    operation: str
    trace_id: str
    target: str
    accept: str
    answer: Answer


class ShadowSender:
    """Sends a sample of the reads to the other endpoint, and compares.

    Args:
        settings: they name the endpoint, the share and the address.
        count: counts each shadow.
        tls: the trusted authorities; by default those of the system.
    """

    def __init__(self, settings: Settings, count: Count, tls: ssl.SSLContext | None = None) -> None:
        base = parse_base_url(settings.shadow_url, "PROXY_SHADOW_URL")
        self._origin, self._prefix = base.origin, base.prefix
        self._address = str(settings.shadow_address or base.origin.host)
        self._sample = settings.shadow_sample
        self._count = count
        self._tls = tls or ssl.create_default_context()
        self._free = BoundedSemaphore(MOST_UNDER_WAY)
        self._turn = Lock()

    def offer(  # noqa: PLR0913, PLR0917 - what is known of a request and its answer
        self,
        scope: Scope,
        operation: str,
        grant: KeyGrant | None,
        trace_id: str,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Sends a read that was answered on in a thread, where it is in the sample and not too many are under way."""
        if grant is None or not grant.shadow or operation not in QUESTIONS or not self._is_drawn(scope):
            return
        if status >= _SERVER_ERROR:
            return  # it says nothing of the data
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        if not _only_reads(path):
            return
        is_taken = self._free.acquire(blocking=False)
        if is_taken:
            target = path + (f"?{query}" if query else "")
            ours = Answer(status, "", tuple(_decode(headers)), body)
            read = ShadowedRead(grant.account, grant.name, operation, trace_id, target, _accept(scope), ours)
            try:
                Thread(target=self._run, args=(read,), name="shadow", daemon=True).start()
            except RuntimeError:  # the system has no thread left
                self._free.release()
                is_taken = False
        if not is_taken:
            self._count(grant.account, operation, SHED)

    def _is_drawn(self, scope: Scope) -> bool:
        """Whether a request is in the sample, and no shadow itself."""
        is_sampled = scope["method"] == "GET" and random() < self._sample  # noqa: S311 - a sample, no secret
        return is_sampled and all(name != _MARKER for name, _ in scope["headers"])

    def _run(self, read: ShadowedRead) -> None:
        try:
            outcome, text = self._compare(read)
            if text:
                fields = {"trace_id": read.trace_id, "account": read.account, "key": read.key_name}
                log.warning(text, extra=fields | {"operation": read.operation})
            self._count(read.account, read.operation, outcome)
        except Exception:
            log.exception("unforeseen error of a shadow", extra={"trace_id": read.trace_id})
        finally:
            self._free.release()

    def _compare(self, read: ShadowedRead) -> tuple[str, str]:
        """The outcome, and a line for the log; an empty one where there is nothing to say."""
        if len(read.answer.body) > MAX_BYTES:
            verdict = not_comparable(f"our answer is larger than {MAX_BYTES // 1_000_000} MB")
        else:
            try:
                other = self._ask(read)
            except TransportError as error:
                return FAILED, f"shadow: no answer: {error}"
            with self._turn:  # trees take many times the bytes of a body, and threads take turns with the answers
                verdict = compare_answers(QUESTIONS[read.operation], other, read.answer)
        return verdict.outcome.value, _describe(verdict, read.target)

    def _ask(self, read: ShadowedRead) -> Answer:
        """The other side's answer to the same method, path and query.

        Raises:
            TransportError: none came, or it is too large.
        """
        fields = [("Host", self._origin.host_header), (MARKER, "1")]
        if read.accept:
            fields.append(("Accept", read.accept))
        address = (self._address, self._origin.port)
        try:
            with (
                connect(self._origin, address, self._tls, SECONDS, SECONDS) as connected,
                send_request(connected, HttpRequest("GET", self._prefix + read.target, fields)) as response,
            ):
                body = read_body(response, MAX_BYTES)
                return Answer(response.status, response.reason, tuple(response.getheaders()), body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The text of the error itself may hold the target, and with it the key.
            raise TransportError(describe_failure(error, SECONDS)) from None


def _only_reads(path: str) -> bool:
    """Whether the other side can take a path for nothing but a read, however often it decodes it."""
    root = _ROOT.match(path)
    return root is not None and only_reads("GET", path[root.end() :])


def _decode(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    return ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _accept(scope: Scope) -> str:
    return next((value for name, value in _decode(scope["headers"]) if name == "accept"), "")


def _describe(verdict: Verdict, target: str) -> str:
    """What a log line says: the members that differ, without a value, and without a key that the other side repeats."""
    if verdict.outcome is Outcome.SAME:
        return ""
    if verdict.outcome is Outcome.NOT_COMPARABLE:
        return f"shadow: not comparable: {verdict.reason}"
    query = parse_query(target.partition("?")[2].encode("latin-1"))
    redactor = Redactor(each.decode("utf-8", "replace") for each in (query.key, query.query_key) if each)
    members = redactor.text("; ".join(f"{each.path} {each.problem}" for each in verdict.differences))
    shown = members if len(members) <= MAX_MEMBERS_TEXT else f"{members[:MAX_MEMBERS_TEXT]} ..."
    return f"shadow: {verdict.count} members differ (left is the shadow): {_ODD.sub('?', shown)}"
