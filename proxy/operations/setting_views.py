"""Shows the settings in force, without secrets."""

from dataclasses import dataclass

from pydantic import SecretStr

from proxy.settings import Settings, mask_value, variable_name


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting.

    Args:
        variable: its environment variable.
        value: its value, masked; None for a secret that is set.
        is_set: whether the environment sets it, also to the default.
    """

    variable: str
    value: str | None
    is_set: bool


def list_settings(settings: Settings) -> list[SettingView]:
    """The settings in the order of the documentation."""
    return [_view(settings, field) for field in Settings.model_fields]


def _view(settings: Settings, field: str) -> SettingView:
    value = getattr(settings, field)
    text = None if isinstance(value, SecretStr) else mask_value(field, _text_of(value))
    return SettingView(variable_name(field), "" if value is None else text, field in settings.model_fields_set)


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
