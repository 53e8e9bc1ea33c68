"""Tests of the settings must not see those of whoever runs them."""

import pytest

from proxy.settings import Settings, variable_name


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)
