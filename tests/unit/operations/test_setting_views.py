"""Settings as the console shows them: none of them tells a secret."""

from ipaddress import ip_address
from typing import Any

import pytest

from proxy.operations.setting_views import list_settings
from proxy.settings import Settings, load_settings, variable_name

SECRET = "hunter2"  # noqa: S105 - it opens nothing


@pytest.fixture(autouse=True)
def _key_ring(_no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_KEYRING", SECRET)


def shown(**settings: Any) -> dict[str, tuple[str | None, bool]]:
    """Value and whether it is set, by the field's variable."""
    return {each.variable: (each.value, each.is_set) for each in list_settings(load_settings(**settings))}


def test_every_setting_is_shown_and_the_key_ring_is_not() -> None:
    found = shown()
    assert list(found) == [variable_name(field) for field in Settings.model_fields]
    assert found["PROXY_KEYRING"] == (None, True)
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("queries", False, "false"),
        ("storage_timeout", 5, "5"),
        ("maps_calls_per_second", 0.1, "0.1"),
        ("max_entities", 100_000_000, "100000000"),
        ("cors_origins", "https://a.example,https://b.example", "https://a.example,https://b.example"),
        ("shadow_address", ip_address("192.0.2.1"), "192.0.2.1"),
        ("brand_logo_url", f"https://user:{SECRET}@a.example/logo?sig={SECRET}#x", "https://...a.example/logo?...#x"),
        ("copyright", "x" * 200, "x" * 79 + "…"),
        ("metrics_port", None, ""),
    ],
)
def test_values_are_texts_without_user_names_and_queries(field: str, value: object, text: str) -> None:
    assert shown(**{field: value})[variable_name(field)] == (text, True)


def test_what_the_environment_does_not_set_is_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PORT", "8080")
    monkeypatch.setenv("PROXY_METRICS_PORT", "")  # as a compose file passes one that is not set
    found = shown()
    assert [found[f"PROXY_{name}"][1] for name in ("PORT", "METRICS_PORT", "HOST")] == [True, False, False]
