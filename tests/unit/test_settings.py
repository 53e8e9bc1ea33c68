"""Every environment variable is judged at the start, by a line that names it."""

from pathlib import Path

import pytest

from proxy.settings import PREFIX, Settings, SettingsError, load_settings, variable_name

SECRET = "hunter2"  # noqa: S105 - it opens nothing


@pytest.fixture(autouse=True)
def _key_ring(_no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_KEYRING", SECRET)


def _mistake(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert name in message
    assert SECRET not in message
    assert len(message.splitlines()) == 1
    return message


def test_the_defaults_are_those_of_the_design() -> None:
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    expected = {
        "public_url": "",
        "host": "0.0.0.0",  # noqa: S104 - a server in a container
        "port": 8080,
        "link_scheme": "public",
        "cors_origins": ("*",),
        "output_links": "sas",
        "sas_minutes": 60,
        "sas_suffix": "&legacy=output/{output}#",
        "jobs_table": "jobs",
        "job_window_days": 15,
        "time_zone": "America/Los_Angeles",
        "datasource_roles": ("datasource", "dataSource"),
        "storage_timeout": 5,
        "log_level": "info",
        "log_format": "json",
    }
    assert {name: defaults[name] for name in expected} == expected


def test_the_bounds_of_azure_maps_are_off_by_default_and_its_rate_is_five_calls() -> None:
    settings = load_settings()
    assert (settings.maps_calls_per_second, settings.maps_items_per_day, settings.maps_items_per_job) == (5, None, None)


def test_every_variable_has_the_prefix_and_a_description() -> None:
    assert PREFIX == "PROXY_"
    assert variable_name("sas_minutes") == "PROXY_SAS_MINUTES"
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROXY_MAPS_CALLS_PER_SECOND", "0"),
        ("PROXY_MAPS_CALLS_PER_SECOND", "fast"),
        ("PROXY_MAPS_ITEMS_PER_DAY", "0"),
        ("PROXY_MAPS_ITEMS_PER_DAY", "1.5"),
        ("PROXY_MAPS_ITEMS_PER_JOB", "-1"),
        ("PROXY_PUBLIC_URL", "spatial.example.net"),
        ("PROXY_PUBLIC_URL", "ftp://spatial.example.net"),
        ("PROXY_PUBLIC_URL", "https://"),
        ("PROXY_PUBLIC_URL", "https://user:hunter2@spatial.example.net"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net?key=hunter2"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net?"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net#"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net\n"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net/a b"),
        ("PROXY_PUBLIC_URL", "https://spätial.example.net"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net:0"),
        ("PROXY_PUBLIC_URL", "https://spatial.example.net:99999"),
        ("PROXY_PUBLIC_URL", "https://[spatial"),
        ("PROXY_PORT", "http"),
        ("PROXY_PORT", "-1"),
        ("PROXY_PORT", "65536"),
        ("PROXY_OUTPUT_LINKS", "both"),
        ("PROXY_LINK_SCHEME", "https"),
        ("PROXY_CORS_ORIGINS", "maps.example.com"),
        ("PROXY_CORS_ORIGINS", "https://maps.example.com/"),
        ("PROXY_CORS_ORIGINS", "https://*.example.com"),
        ("PROXY_CORS_ORIGINS", "*,https://maps.example.com"),
        ("PROXY_CORS_ORIGINS", "https://a\nX: y"),
        ("PROXY_SAS_MINUTES", "0"),
        ("PROXY_SAS_MINUTES", "10081"),
        ("PROXY_SAS_SUFFIX", "legacy=#"),
        ("PROXY_SAS_SUFFIX", "&legacy=##"),
        ("PROXY_SAS_SUFFIX", "&legacy=\n"),
        ("PROXY_SAS_SUFFIX", "&legacy={name}#"),
        ("PROXY_SAS_SUFFIX", "&legacy={#"),
        ("PROXY_SAS_SUFFIX", "&legacy={{output}}#"),
        ("PROXY_SAS_SUFFIX", "&legacy={OUTPUT}#"),
        ("PROXY_SAS_SUFFIX", "&légacy=#"),
        ("PROXY_JOBS_TABLE", "my-jobs"),
        ("PROXY_JOBS_TABLE", "jo"),
        ("PROXY_JOBS_TABLE", "1jobs"),
        ("PROXY_JOBS_TABLE", "jobs\n"),
        ("PROXY_JOBS_TABLE", "j" * 64),
        ("PROXY_JOB_WINDOW_DAYS", "0"),
        ("PROXY_JOB_WINDOW_DAYS", "36501"),
        ("PROXY_TIME_ZONE", "Mars/Olympus_Mons"),
        ("PROXY_TIME_ZONE", "America"),
        ("PROXY_TIME_ZONE", "../../etc/passwd"),
        ("PROXY_TIME_ZONE", "America/Los_Angeles "),
        ("PROXY_DATASOURCE_ROLES", "datasource,,dataSource"),
        ("PROXY_DATASOURCE_ROLES", 'data"source'),
        ("PROXY_STORAGE_TIMEOUT", "0"),
        ("PROXY_STORAGE_TIMEOUT", "nan"),
        ("PROXY_STORAGE_TIMEOUT", "inf"),
        ("PROXY_STORAGE_TIMEOUT", "five"),
        ("PROXY_LOG_LEVEL", "loud"),
        ("PROXY_LOG_FORMAT", "xml"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert _mistake(monkeypatch, name, value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROXY_PORT", "http", "must be a whole number from 0 to 65535 (it is 'http'); correct or unset it"),
        ("PROXY_STORAGE_TIMEOUT", "0", "must be a number above 0 and up to 300 (it is '0'); correct or unset it"),
        ("PROXY_OUTPUT_LINKS", "both", "must be 'sas' or 'redirect' (it is 'both'); correct or unset it"),
        ("PROXY_TIME_ZONE", "M" * 500, f"like America/Los_Angeles (it is '{'M' * 79}…'); correct or unset it"),
        ("PROXY_PUBLIC_URL", "https://me:hunter2@a/?key=hunter2", "(it is 'https://...a/?...'); correct or unset it"),
        ("PROXY_SAS_SUFFIX", "&sig=hunter2#", "storage knows: sig (it is '&sig=...#'); correct or unset it"),
    ],
)
def test_a_mistake_shows_what_is_allowed_and_the_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    assert _mistake(monkeypatch, name, value).endswith(message)


@pytest.mark.parametrize("name", ["timeout", "ses", "snapshot", "sig", "SE", "sp", "s%69g", "versionid", "rscd"])
def test_the_suffix_names_no_parameter_of_storage(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "storage knows" in _mistake(monkeypatch, "PROXY_SAS_SUFFIX", f"&legacy=1&{name}=1#")


@pytest.mark.parametrize("suffix", ["", "&legacy=#", "&legacy=", "&x=1&y=2#", "&{output}=output/{output}#", "&a|~=1"])
def test_the_suffix_may_be_any_other(monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setenv("PROXY_SAS_SUFFIX", suffix)
    assert load_settings().sas_suffix == suffix


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://spatial.virtualearth.net", "https://spatial.virtualearth.net"),
        ("https://spatial.virtualearth.net/", "https://spatial.virtualearth.net"),
        ("http://10.0.0.1:8080/bing/", "http://10.0.0.1:8080/bing"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_public_url_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch, value: str, url: str) -> None:
    monkeypatch.setenv("PROXY_PUBLIC_URL", value)
    assert load_settings(serving=True).public_url == url


def test_words_are_read_in_any_letter_case(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("OUTPUT_LINKS", "Redirect"), ("LOG_LEVEL", "DEBUG"), ("LOG_FORMAT", "TEXT")):
        monkeypatch.setenv(PREFIX + name, value)
    settings = load_settings()
    assert (settings.output_links, settings.log_level, settings.log_format) == ("redirect", "debug", "text")


def test_roles_stand_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_DATASOURCE_ROLES", "datasource , dataSource,DataSource")
    assert load_settings().datasource_roles == ("datasource", "dataSource", "DataSource")


def test_a_server_needs_its_public_url() -> None:
    assert load_settings().public_url == ""
    with pytest.raises(SettingsError, match=r"^PROXY_PUBLIC_URL: "):
        load_settings(serving=True)


@pytest.mark.parametrize("file", [None, "", "ring.json"])
@pytest.mark.parametrize("inline", [None, "", SECRET])
def test_exactly_one_key_ring_is_named(monkeypatch: pytest.MonkeyPatch, file: str | None, inline: str | None) -> None:
    monkeypatch.delenv("PROXY_KEYRING")
    for name, value in (("PROXY_KEYRING", inline), ("PROXY_KEYRING_FILE", file)):
        if value is not None:
            monkeypatch.setenv(name, value)
    if bool(file) != bool(inline):
        assert load_settings().keyring_file == (Path(file) if file else None)
    else:
        with pytest.raises(SettingsError, match="PROXY_KEYRING and PROXY_KEYRING_FILE") as caught:
            load_settings()
        assert SECRET not in str(caught.value)


def test_every_mistake_is_in_the_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PORT", "http")
    message = _mistake(monkeypatch, "PROXY_SAS_MINUTES", "0")
    assert "PROXY_PORT" in message


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PORT", "1")
    assert load_settings(port=2, datasource_roles=("a",)).port == 2


def test_the_key_ring_is_never_printed() -> None:
    assert SECRET not in repr(load_settings())
    assert SECRET not in str(load_settings().model_dump())


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(variable_name(name), "")
    monkeypatch.setenv("PROXY_KEYRING", "{}")
    found = load_settings()
    assert found.port == 8080
    assert found.time_zone == "America/Los_Angeles"
    assert (found.sas_suffix, found.cors_origins) == ("", ())  # those that say something where they are empty


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", ("*",)),
        ("https://Maps.example.com, http://localhost:3000,", ("https://maps.example.com", "http://localhost:3000")),
        ("null,https://[::1]:8443", ("null", "https://[::1]:8443")),
    ],
)
def test_origins_are_those_that_browsers_send(
    monkeypatch: pytest.MonkeyPatch, value: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PROXY_CORS_ORIGINS", value)
    assert load_settings().cors_origins == origins


@pytest.mark.parametrize("value", ["https://data.example.net", "a b", "data.example.net:x", "*.example.net", "-a"])
def test_a_host_to_fetch_from_is_a_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "host names" in _mistake(monkeypatch, "PROXY_DATA_LOCATION_HOSTS", value)


def test_hosts_to_fetch_from_are_listed_in_any_letter_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_DATA_LOCATION_HOSTS", "Data.Example.NET, other.example.net:8443,")
    assert load_settings().data_location_hosts == ("data.example.net", "other.example.net:8443")


def test_the_write_sides_bounds_are_those_of_the_documents() -> None:
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    documented = {
        "max_data_sources": 25,
        "max_active_jobs": 10,
        "max_jobs_per_day": 50,
        "max_entities": 200_000,
        "max_upload_mb": 300,
        "worker_lease": 30,
        "worker_tries": 5,
        "data_location_hosts": (),
    }
    assert {name: defaults[name] for name in documented} == documented


def test_the_shadow_is_off_by_default() -> None:
    settings = load_settings()
    assert (settings.shadow_url, settings.shadow_sample, settings.shadow_address) == ("", 0.01, None)


@pytest.mark.parametrize("url", ["http://spatial.virtualearth.net", "http://127.0.0.1", "spatial.virtualearth.net"])
def test_the_shadow_gets_keys_so_its_url_is_https(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert "https" in _mistake(monkeypatch, "PROXY_SHADOW_URL", url)


def test_the_shadow_is_not_this_proxy_unless_an_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PUBLIC_URL", "https://Spatial.virtualearth.net/x")
    assert "PROXY_SHADOW_ADDRESS" in _mistake(monkeypatch, "PROXY_SHADOW_URL", "https://spatial.virtualearth.net")
    monkeypatch.setenv("PROXY_SHADOW_ADDRESS", "192.0.2.7")
    assert str(load_settings().shadow_address) == "192.0.2.7"
