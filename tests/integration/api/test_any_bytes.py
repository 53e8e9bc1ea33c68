"""Bytes that are no request end in an envelope or in a closed connection, and the server lives on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.any_answer import assert_envelope, exchange, split
from tests.support.live import LiveServer

VALID = (
    b"GET /REST/v1/Dataflows/ListJobs?key=master-key&o=xml HTTP/1.1\r\nHost: proxy.example\r\nAccept: */*\r\n"
    b"Content-Length: 3\r\n\r\nabc"
)

bits = st.binary(max_size=6) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\0", b":", b"HTTP/9.9", b"\xff"])


@st.composite
def broken_requests(draw: st.DrawFn) -> bytes:
    """A request, with some of its bytes replaced, and perhaps another behind it."""
    data = VALID
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        data = data[:start] + draw(bits) + data[start + draw(st.integers(0, 4)) :]
    return data + draw(st.sampled_from([b"", VALID, b"\r\n\r\n"]))


def _assert_envelopes_or_nothing(server: LiveServer, data: bytes) -> None:
    for answer in split(exchange(server.port, data, half_close=True)):
        assert answer.status in {200, 400, 401, 404, 405}
        if b"/livez" not in data and b"/readyz" not in data:  # those answer probes, without an envelope
            assert_envelope(answer)
    assert server.get("Dataflows/ListJobs", key=None).status_code == 401


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_garbage_ends_in_an_envelope_or_a_closed_connection(shared_server: LiveServer, data: bytes) -> None:
    _assert_envelopes_or_nothing(shared_server, data)


@settings(max_examples=300)
@given(broken_requests())
def test_a_broken_request_ends_in_a_response_or_a_close(shared_server: LiveServer, data: bytes) -> None:
    _assert_envelopes_or_nothing(shared_server, data)
