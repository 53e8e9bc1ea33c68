"""What comes back over a socket, and whether it is what the contract allows."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from proxy.wire.request import Format
from tests.support.member_order import assert_json_order, assert_xml_order

FORMATS = {"application/json; charset=utf-8": Format.JSON, "application/xml; charset=utf-8": Format.XML}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, its header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """Sends bytes on a connection of their own; gives what comes until the server closes it.

    A half-closed connection tells the server that nothing follows, so that it doesn't wait for the rest of a request.
    """
    received = b""
    # The server may close before it has read everything; what it had sent by then may be lost with the connection.
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            received += part
    return received


def split(data: bytes, *, bodies: bool = True) -> list[Answer]:
    """The answers in these bytes, each as long as it says; an answer to HEAD has no body."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end
        status_line, *lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z -]+", status_line)
        assert found
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs)
        length = int(headers.get("content-length", len(data))) if bodies else 0
        body, data = data[:length], data[length:]
        assert len(body) == length
        answers.append(Answer(int(found[1]), headers, body))
    return answers


def assert_envelope(answer: Answer) -> Format:
    """Checks that the body is an envelope that agrees with its head; gives its format."""
    if answer.status == HTTPStatus.BAD_REQUEST and answer.headers["content-type"].startswith("text/plain"):
        assert answer.headers["connection"] == "close"  # bytes that are no HTTP get the server's own 400
        return Format.JSON
    assert "content-encoding" not in answer.headers
    status = HTTPStatus(answer.status)
    found = FORMATS[answer.headers["content-type"]]
    if found is Format.JSON:
        members = assert_json_order(answer.body)
        code, phrase, trace_id = members["statusCode"], members["statusDescription"], members["traceId"]
        details = members.get("errorDetails")
    else:
        root = assert_xml_order(answer.body)
        code = int(root.findtext("{*}StatusCode") or 0)
        phrase, trace_id = root.findtext("{*}StatusDescription"), root.findtext("{*}TraceId") or ""
        details = [text.text for text in root.iterfind("{*}ErrorDetails/{*}string")] or None
    assert (code, phrase) == (status.value, status.phrase)
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    if status is not HTTPStatus.OK:
        assert details
        assert all(details)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        assert answer.headers["allow"] in {"GET, HEAD", "GET", "POST", "GET, HEAD, DELETE"}
    return found
