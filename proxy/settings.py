"""Every environment variable, typed, with its default and its meaning. All are validated at start-up."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, IPvAnyAddress, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from proxy.setting_types import (
    ADDRESSES,
    HOSTS,
    OBJECT_IDS,
    ORIGINS,
    ROLES,
    Word,
    check_host_name,
    check_networks,
    check_origins,
    check_public_url,
    check_sas_suffix,
    check_shadow_url,
    check_time_zone,
)
from proxy.text import single_line
from proxy.wire.envelope import DEFAULT_BRAND_LOGO_URL, DEFAULT_COPYRIGHT, DEFAULT_QUERY_COPYRIGHT

PREFIX = "PROXY_"

_MAY_BE_EMPTY = frozenset(("sas_suffix", "cors_origins"))

# A wrong value of these is not shown. In any other, user names, queries and assigned values are masked.
_SECRET = frozenset(("keyring",))
_MASKED = re.compile(r"(?<=//)[^/@]*@|(?<=[?=])[^&#]+", re.DOTALL)
_LONGEST_SHOWN = 80


class SettingsError(Exception):
    """The settings or the key ring can't be used; the text is one line that names the variable."""

    def __init__(self, text: str) -> None:
        super().__init__(single_line(text))


class Settings(BaseSettings):
    """The settings, in the order of docs/configuration.md.

    Raises:
        ValidationError: something is wrong; `load_settings` puts it into one line.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore")

    keyring: SecretStr | None = Field(
        None, description="the key ring as JSON; this or PROXY_KEYRING_FILE is required, not both"
    )
    keyring_file: Path | None = Field(None, description="the path of a file with the key ring")
    keys_table: str = Field(
        "keys",
        pattern="^[A-Za-z][A-Za-z0-9]{2,62}$",
        description="table of the key store, where the key ring has a `key_store`",
    )
    key_store_seconds: float = Field(
        5, ge=1, le=60, description="seconds after which a process looks for changes of the key store"
    )
    key_store_stale_seconds: float = Field(
        3600, ge=0, le=86_400, description="seconds that known keys stay good while the key store can't be read"
    )
    public_url: Annotated[str, AfterValidator(check_public_url)] = Field(
        "", description="base of the links that stay on the proxy, e.g. `https://spatial.virtualearth.net`"
    )
    host: str = Field("0.0.0.0", description="the address to listen on")  # noqa: S104 - a server in a container
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on")
    link_scheme: Annotated[Literal["public", "request"], Word] = Field(
        "public",
        description="`public`: links that stay on the proxy have the scheme of PROXY_PUBLIC_URL; `request`: that of the"
        " request",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, ORIGINS, AfterValidator(check_origins)] = Field(
        ("*",), description="origins whose pages may read answers, with commas between them; set and empty: none"
    )
    output_links: Annotated[Literal["sas", "redirect"], Word] = Field(
        "sas", description="`sas`: output links are signed; `redirect`: they stay on the proxy, which redirects"
    )
    sas_minutes: int = Field(
        60,
        ge=1,
        le=7 * 24 * 60,
        description="lifetime of a signed link, at most a week; with an identity, over three days it may end earlier",
    )
    sas_suffix: Annotated[str, AfterValidator(check_sas_suffix)] = Field(
        "&legacy=output/{output}#",
        description="what a signed link ends in, so that text appended to it does no harm; `{output}` is `succeeded` or"
        " `failed`",
    )
    jobs_table: str = Field("jobs", pattern="^[A-Za-z][A-Za-z0-9]{2,62}$", description="table that holds the job rows")
    job_window_days: int = Field(15, ge=1, le=36500, description="how many days back the job list reaches")
    time_zone: Annotated[str, AfterValidator(check_time_zone)] = Field(
        "America/Los_Angeles", description="whose offset dates in XML have"
    )
    datasource_roles: Annotated[tuple[str, ...], NoDecode, ROLES] = Field(
        ("datasource", "dataSource"), description="spellings of that link role on load and rollback jobs, a link each"
    )
    storage_timeout: float = Field(
        5, gt=0, le=300, description="seconds, the deadline of one request's whole work with storage"
    )
    pending_ttl: float = Field(
        1, ge=0, le=3600, description="seconds that the record of an unfinished job, and the job list, may be reused"
    )
    finished_ttl: float = Field(
        300, ge=0, le=7 * 86400, description="seconds that the record of a finished job may be reused"
    )
    worker_lease: float = Field(
        30, ge=1, le=3600, description="seconds that a worker holds a job without renewing its lease"
    )
    worker_tries: int = Field(5, ge=1, le=100, description="attempts before a job is Aborted")
    worker_memory_mb: int = Field(
        512, ge=192, le=100_000, description="megabytes of memory that reading the data of one job may take"
    )
    worker_job_seconds: float = Field(
        1800, ge=1, le=86_400, description="seconds that reading the data of one job may take"
    )
    worker_jobs: int = Field(2, ge=1, le=64, description="jobs that a worker does side by side")
    data_location_hosts: Annotated[tuple[str, ...], NoDecode, HOSTS] = Field(
        (), description="hosts that a load may fetch its data from, beside the account's own blob endpoint"
    )
    keep_outputs_days: int = Field(
        0, ge=0, le=36_500, description="days after which the outputs of a finished job are deleted; 0: never"
    )
    max_data_sources: int = Field(25, ge=1, le=100_000, description="data sources of an account")
    max_active_jobs: int = Field(10, ge=1, le=10_000, description="unfinished jobs of an account")
    max_jobs_per_day: int = Field(50, ge=1, le=1_000_000, description="jobs that an account may create in 24 hours")
    max_entities: int = Field(200_000, ge=1, le=100_000_000, description="entities of a load")
    max_upload_mb: int = Field(
        300,
        ge=1,
        le=100_000,
        description="megabytes of a load, as it is sent and after decompression, and of a data source that an "
        "incremental load makes larger",
    )
    queries: bool = Field(default=True, description="whether data sources may be queried")
    query_cache_mb: int = Field(
        2048, ge=64, le=1_000_000, description="megabytes of disk under TMPDIR for the versions that queries read"
    )
    query_copyright: str = Field(
        DEFAULT_QUERY_COPYRIGHT,
        description="the copyright notice of queries; `{year}` in it is the current year",
    )
    maps_calls_per_second: float = Field(
        5, ge=0.1, le=1000, description="calls of one process to an Azure Maps account in a second"
    )
    maps_items_per_day: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="items that an account may ask of Azure Maps in a UTC day, each of which is billed; off when unset",
    )
    maps_items_per_job: int | None = Field(
        None, ge=1, le=100_000_000, description="items that a geocode job may ask of Azure Maps; off when unset"
    )
    shadow_url: Annotated[str, AfterValidator(check_shadow_url)] = Field(
        "",
        description="base URL of another endpoint, which gets a sample of the reads to compare answers; off when unset",
    )
    shadow_sample: float = Field(0.01, ge=0, le=1, description="the share of reads in that sample")
    shadow_address: IPvAnyAddress | None = Field(
        None, description="the address to connect to for PROXY_SHADOW_URL, where its name leads to this proxy"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, ADDRESSES, AfterValidator(check_networks)] = Field(
        (), description="addresses or networks of proxies in front whose `X-Forwarded-For` and `-Proto` count"
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="the port of Prometheus metrics, for the inside only; off when unset"
    )
    usage: Annotated[Literal["off", "counts", "full"], Word] = Field(
        "counts",
        description="what the table `usage` keeps of each key's requests: `off`: nothing; `counts`: numbers, times and"
        " data sources; `full`: also user agents and networks, which are personal data",
    )
    copyright: str = Field(
        DEFAULT_COPYRIGHT, description="the envelope's copyright notice; `{year}` in it is the current year"
    )
    brand_logo_url: str = Field(DEFAULT_BRAND_LOGO_URL, description="the envelope's brand logo")
    operator: str = Field("", description="the name in audit rows of whoever runs a command; by default user@host")
    console_host: str = Field("127.0.0.1", description="the address that the console listens on")
    console_port: int = Field(8090, ge=0, le=65535, description="the port that the console listens on")
    console_name: Annotated[str, AfterValidator(check_host_name)] = Field(
        "",
        description="the host name of the console in a browser, where it is not 127.0.0.1 or localhost; with `:port`"
        " where that is not the scheme's own",
    )
    console_token_file: Path | None = Field(
        None, description="a file with the token that signs in at the console; without, it listens on loopback only"
    )
    console_auth: Annotated[Literal["token", "entra"], Word] = Field(
        "token",
        description="how one signs in at the console: `token`, where PROXY_CONSOLE_TOKEN_FILE is set, or `entra`, by"
        " Microsoft Entra ID",
    )
    console_tenant_id: UUID | None = Field(None, description="the tenant of Microsoft Entra ID")
    console_client_id: UUID | None = Field(None, description="the console's app registration in it")
    console_principals: Annotated[tuple[str, ...], NoDecode, OBJECT_IDS] = Field(
        (), description="object ids of the people and groups that may sign in by Entra, with commas between them"
    )
    console_read_only: bool = Field(default=False, description="whether the console shows only, and changes nothing")
    reports_dir: Path | None = Field(
        None, description="a folder with reports of `migrate` and `compare`, which the console shows"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Word] = Field(
        "info", description="`debug`, `info`, `warning` or `error`"
    )
    log_format: Annotated[Literal["json", "text"], Word] = Field("json", description="`json` or `text`")

    @model_validator(mode="before")
    @classmethod
    def _unset_when_empty(cls, values: dict[str, object]) -> dict[str, object]:
        # A compose file passes an unset variable as an empty one.
        return {name: value for name, value in values.items() if value != "" or name in _MAY_BE_EMPTY}

    @model_validator(mode="after")
    def _one_key_ring(self) -> "Settings":
        if (self.keyring is None) == (self.keyring_file is None):
            raise ValueError("exactly one of PROXY_KEYRING and PROXY_KEYRING_FILE must be set")
        return self

    @model_validator(mode="after")
    def _whole_entra(self) -> "Settings":
        names = ("console_tenant_id", "console_client_id", "console_principals")
        missing = [variable_name(name) for name in names if not getattr(self, name)]
        if self.console_auth == "entra" and missing:
            raise ValueError(f"PROXY_CONSOLE_AUTH: is entra, which needs {' and '.join(missing)}; set them")
        return self

    @model_validator(mode="after")
    def _no_shadow_of_ourselves(self) -> "Settings":
        host = urlsplit(self.shadow_url).hostname
        if host and self.shadow_address is None and host == urlsplit(self.public_url).hostname:
            raise ValueError(
                "PROXY_SHADOW_URL: must not have the host of PROXY_PUBLIC_URL, which leads to this proxy; set"
                " PROXY_SHADOW_ADDRESS to the other side's address"
            )
        return self


def variable_name(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def mask_value(field: str, value: object) -> str | None:
    """A value as a message may show it, cut and without user names, queries and assigned values; None for a secret."""
    if field in _SECRET:
        return None
    text = _MASKED.sub("...", str(value))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def load_settings(*, serving: bool = False, **overrides: object) -> Settings:
    """The settings from the environment.

    Args:
        serving: whether this process serves requests, so that it needs its public URL.
        overrides: values that take precedence over the environment.

    Raises:
        SettingsError: one line that names every variable that is missing or wrong.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them, that is its point
    except ValidationError as error:
        raise SettingsError("; ".join(_describe(each) for each in error.errors(include_url=False))) from None
    if serving and not settings.public_url:
        raise SettingsError(
            f"{variable_name('public_url')}: must be set to the URL that clients use, like"
            " https://spatial.virtualearth.net"
        )
    return settings


def _describe(error: ErrorDetails) -> str:
    """One mistake: the variable, what is allowed, the wrong value, and what to do."""
    allowed = error["msg"].removeprefix("Value error, ").replace("\n", " ")
    for given, better in (("Input should be", "must be"), ("String should match pattern", "must match the pattern")):
        allowed = allowed.replace(given, better)
    if not error["loc"]:
        return allowed
    name = str(error["loc"][0])
    field = Settings.model_fields[name]
    # pydantic names only the bound that is broken, and none where there is no number.
    bounds = {key: getattr(each, key) for each in field.metadata for key in ("gt", "ge", "le") if hasattr(each, key)}
    if bounds:
        lower = f"from {bounds['ge']}" if "ge" in bounds else f"above {bounds['gt']} and up"
        allowed = f"must be a {'' if field.annotation is float else 'whole '}number {lower} to {bounds['le']}"
    shown = mask_value(name, error["input"])
    value = "" if shown is None else f" (it is {shown!r})"
    return f"{variable_name(name)}: {allowed}{value}; correct or unset it"
