"""Connections to the port of metrics that bring no request."""

import socket
import struct

import pytest
from prometheus_client import CollectorRegistry

from proxy.observability.metrics import server
from proxy.observability.metrics.catalog import Metrics
from proxy.settings import load_settings
from tests.support.processes import free_port
from tests.support.scrape import scrape

RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER by which a connection is closed with a reset."""


def test_a_silent_connection_is_closed_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "SILENT_SECONDS", 0.2)
    settings = load_settings(keyring="{}", host="127.0.0.1", metrics_port=free_port())
    assert settings.metrics_port is not None
    with server.serve_metrics(settings, Metrics(CollectorRegistry())):
        address = "127.0.0.1", settings.metrics_port
        with socket.create_connection(address, timeout=60) as silent, socket.create_connection(address) as broken:
            broken.sendall(b"GET /metrics")
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            broken.close()
            assert silent.recv(1) == b""
    monkeypatch.undo()  # a look may be slow to ask
    with server.serve_metrics(settings, Metrics(CollectorRegistry())):
        scrape(settings.metrics_port)
    assert capfd.readouterr().err == ""
