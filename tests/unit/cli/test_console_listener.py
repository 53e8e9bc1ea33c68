"""The console's listener."""

import socket

from proxy.cli.console_access import listen
from proxy.settings import load_settings


def test_responses_are_sent_without_a_delay() -> None:
    """Only on sockets that name TCP asyncio turns Nagle's algorithm off."""
    with listen(load_settings(console_port=0, keyring="{}")) as listener:
        assert listener.proto == socket.IPPROTO_TCP
