"""Finds unknown PROXY_ variables in the environment. Without that, a misspelt setting would silently have no effect."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from proxy.settings import PREFIX, Settings, variable_name

# Parameters of `deploy/azure/main.parameters.json` and outputs of `main.bicep`. The values of `azd env get-values` put
# them all into the environment.
_AZD_PARAMETERS = (
    "ACCEPT_WRITES ACCOUNTS CERTIFICATE_NAME CERTIFICATE_VAULT_ID CLIENT_NETWORKS CONSOLE CUSTOM_DOMAIN MAPS"
    " OLD_HOST_ADDRESS OLD_HOST_NAME OPERATORS SETTINGS"
)
_AZD_OUTPUTS = "CONSOLE_HOST_NAME CONSOLE_PRINCIPAL_ID DOMAIN_VERIFICATION HOST_NAME INGRESS_ADDRESS STORAGE_ACCOUNTS"
AZD_VARIABLES = frozenset(PREFIX + name for names in (_AZD_PARAMETERS, _AZD_OUTPUTS) for name in names.split())


def unknown_variables(environment: Mapping[str, str], named: Iterable[str] = ()) -> list[str]:
    """A text for each `PROXY_` variable that is no setting: its name, and the nearest name that is one.

    Args:
        environment: the variables; letter case does not matter, as it does not for settings.
        named: the variables that the ring names.
    """
    settings = [variable_name(field) for field in Settings.model_fields]
    known = {*settings, *AZD_VARIABLES, *(name.upper() for name in named)}
    found = sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name}: no such setting; the nearest name is {_nearest(name.upper(), settings)}" for name in found]


def _nearest(name: str, settings: list[str]) -> str:
    # Without the prefix, which would make every name look like every other.
    nearest = get_close_matches(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in settings], 1, 0)
    return PREFIX + nearest[0]
