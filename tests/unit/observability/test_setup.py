"""Metrics and traces need packages of their own, which an installation may leave out."""

import sys

import pytest

from proxy.observability.setup import build_telemetry
from proxy.settings import SettingsError, load_settings


def test_metrics_without_their_package_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    expected = r"PROXY_METRICS_PORT: needs the package prometheus_client, .*install spatial-data-proxy\[metrics\]"
    with pytest.raises(SettingsError, match=expected):
        build_telemetry(load_settings(keyring="{}", metrics_port=9090))


def test_traces_without_their_package_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "proxy.observability.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"install spatial-data-proxy\[tracing\]"):
        build_telemetry(load_settings(keyring="{}"))


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_BSP_MAX_QUEUE_SIZE", "1"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")]
)
def test_a_variable_with_an_impossible_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="OTEL_: a variable has an impossible value"):
        build_telemetry(load_settings(keyring="{}"))
