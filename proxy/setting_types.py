"""The forms of settings: how a text becomes a value, and the sentence for a wrong one."""

import re
from ipaddress import ip_network
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

# Parameters that Blob Storage or a SAS gives a meaning. A signed link's suffix must not name them.
_STORAGE_PARAMETERS = (
    "timeout snapshot versionid comp restype prefix delimiter marker maxresults include where upn",  # Blob Storage
    "sv ss srt sr sp st se ses sip spr sig si saoid suoid scid sdd sduoid",  # a SAS
    "skoid sktid skt ske sks skv skdutid",  # its user delegation key
    "rscc rscd rsce rscl rsct",  # the headers of its responses
)
SAS_PARAMETERS = frozenset(name for names in _STORAGE_PARAMETERS for name in names.split())


def check_public_url(text: str) -> str:
    """Checks a base URL; returns it without a slash at its end."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("must be an http or https URL, like https://spatial.virtualearth.net")
    if parts.username is not None or not re.fullmatch(r"[!-~]+", text) or set("?#") & set(text):
        raise ValueError("must have no user, query, fragment or blank")
    return text.rstrip("/")


def check_shadow_url(text: str) -> str:
    """Checks the base URL of the shadow: a key goes there, so it must be https."""
    if text and urlsplit(text).scheme != "https":
        raise ValueError("must be an https URL, like https://spatial.virtualearth.net")
    return check_public_url(text)


def check_sas_suffix(text: str) -> str:
    """Checks what a signed link ends in."""
    if text and not re.fullmatch(r"&(?:[!-\"$-z|~]|\{output\})*#?", text):
        raise ValueError("must be empty, or begin with & and may end with #; the one placeholder is {output}")
    named = {name.lower() for name, _ in parse_qsl(text.rstrip("#"), keep_blank_values=True)}
    if named & SAS_PARAMETERS:
        raise ValueError(f"must not name a parameter that storage knows: {', '.join(sorted(named & SAS_PARAMETERS))}")
    return text


def check_time_zone(name: str) -> str:
    """Checks the name of a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown names, and texts that can't be one
        raise ValueError("must be the name of a time zone, like America/Los_Angeles") from error
    return name


def _comma_list(allowed: str, pattern: str, *, skip_empty: bool = True, lower: bool = True) -> BeforeValidator:
    """Splits a text at its commas. `allowed` says what matches the pattern."""

    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in (value.lower() if lower else value).split(",")]
        parts = [part for part in parts if part or not skip_empty]
        if not all(re.fullmatch(pattern, part) for part in parts):
            raise ValueError(f"must be {allowed}, with commas between them")
        return tuple(parts)

    return BeforeValidator(split)


def check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Checks that * stands alone."""
    if "*" in origins and len(origins) > 1:
        raise ValueError("must be * alone, or origins")
    return origins


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """Checks addresses and networks."""
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise ValueError("must be addresses or networks like 10.0.0.0/8, with commas between them") from error
    return networks


def check_host_name(name: str) -> str:
    """Checks a host name, with or without a port; returns it in lower case."""
    if name and not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?", name.lower()):
        raise ValueError("must be a host name like console.example.com, with or without a port")
    return name.lower()


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Word = BeforeValidator(_lower)
ROLES = _comma_list("words", "[A-Za-z]+", skip_empty=False, lower=False)
HOSTS = _comma_list(
    "host names like data.blob.core.windows.net", r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?"
)
# A browser sends its origin in lower case and without a path.
ORIGINS = _comma_list("* or origins like https://maps.example.com", r"\*|null|[a-z][a-z0-9+.-]*://[a-z0-9.\[\]:_-]+")
OBJECT_IDS = _comma_list(
    "object ids like 5f0c3b9e-0000-0000-0000-000000000000",
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
)
ADDRESSES = _comma_list("addresses or networks like 10.0.0.0/8", ".+")
