"""Finds unknown PROXY_ variables in the environment. A misspelt setting would otherwise have no effect, silently."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from adapters.credentials.config import AccountKeyConfig, ConnectionStringConfig, IdentityConfig, StorageEntry
from proxy.settings import PREFIX, Settings, variable

# Azure Developer CLI's own: parameters of `deploy/azure/main.parameters.json` and outputs of `main.bicep`. Whoever runs
# a command with the values of `azd env get-values` has them all in the environment.
AZD_VARIABLES = frozenset(
    (
        "PROXY_ACCEPT_WRITES",
        "PROXY_ACCOUNTS",
        "PROXY_CERTIFICATE_NAME",
        "PROXY_CLIENT_NETWORKS",
        "PROXY_CUSTOM_DOMAIN",
        "PROXY_DOMAIN_VERIFICATION",
        "PROXY_HOST_NAME",
        "PROXY_INGRESS_ADDRESS",
        "PROXY_KEYRING_EXISTS",
        "PROXY_KEYRING_SECRET",
        "PROXY_OLD_HOST_ADDRESS",
        "PROXY_OLD_HOST_NAME",
        "PROXY_SETTINGS",
        "PROXY_STORAGE_ACCOUNTS",
    )
)


def unknown_variables(environment: Mapping[str, str], entries: Iterable[StorageEntry] = ()) -> list[str]:
    """A text for each `PROXY_` variable that is no setting: its name, and the nearest name that is one.

    Args:
        environment: the variables; letter case does not matter, as it does not for settings.
        entries: the storage of the ring's accounts, which may name variables of their own.
    """
    settings = [variable(field) for field in Settings.model_fields]
    known = {*settings, *AZD_VARIABLES, *(name.upper() for entry in entries for name in _named_by(entry))}
    found = sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name}: no such setting; the nearest name is {_nearest(name.upper(), settings)}" for name in found]


def _named_by(entry: StorageEntry) -> Collection[str]:
    match entry:
        case ConnectionStringConfig() | AccountKeyConfig():
            return [entry.variable] if entry.variable else []
        case IdentityConfig():
            return [entry.client_secret_variable] if entry.client_secret_variable else []


def _nearest(name: str, settings: list[str]) -> str:
    # Without the prefix, which would make every name look like every other.
    nearest = get_close_matches(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in settings], 1, 0)
    return PREFIX + nearest[0]
