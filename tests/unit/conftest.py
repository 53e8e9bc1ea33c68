"""Tests of the settings must not see those of whoever runs them."""

import pytest

from proxy.settings import Settings, variable


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
