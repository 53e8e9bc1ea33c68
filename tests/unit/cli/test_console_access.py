"""Access to the console: the table of the operations contract, section 5, row by row."""

import socket
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.cli import console_start
from proxy.cli.console_access import check_access, listen, open_access, url_of, warnings_of
from proxy.cli.errors import CommandError
from proxy.cli.main import main
from proxy.console.entra_access import EntraAccess
from proxy.console.token_sign_in import TokenSignIn, read_token
from proxy.settings import Settings, SettingsError, load_settings

TOKEN = "a-token-with-many-characters"  # noqa: S105 - opens nothing
ID = "5f0c3b9e-0000-4000-8000-000000000000"
ENTRA: dict[str, object] = {
    "console_auth": "entra",
    "console_tenant_id": ID,
    "console_client_id": ID,
    "console_principals": ID,
}

OPEN, TOKENS, BY_ENTRA, REFUSED = "open", "token", "entra", "refused"


def settings_of(**given: Any) -> Settings:
    return load_settings(keyring="{}", console_port=0, **given)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN, encoding="utf-8")
    return path


def access_of(settings: Settings) -> str:
    """What the command does with these settings, up to the address."""
    try:
        check_access(settings)
        listen(settings).close()
    except SettingsError:
        return REFUSED
    found = open_access(settings)
    return {type(None): OPEN, TokenSignIn: TOKENS, EntraAccess: BY_ENTRA}[type(found)]


@pytest.mark.parametrize(
    ("host", "alone", "with_token", "with_entra", "with_entra_and_name"),
    [
        ("127.0.0.1", OPEN, TOKENS, BY_ENTRA, BY_ENTRA),
        ("localhost", OPEN, TOKENS, BY_ENTRA, BY_ENTRA),
        ("LOCALHOST", OPEN, TOKENS, BY_ENTRA, BY_ENTRA),
        ("::1", OPEN, TOKENS, BY_ENTRA, BY_ENTRA),
        ("127.0.0.2", OPEN, TOKENS, BY_ENTRA, BY_ENTRA),
        ("0.0.0.0", REFUSED, TOKENS, REFUSED, BY_ENTRA),  # noqa: S104 - what is refused
        ("::", REFUSED, TOKENS, REFUSED, BY_ENTRA),
        ("0", REFUSED, TOKENS, REFUSED, BY_ENTRA),
    ],
)
def test_each_row_of_the_contract(
    host: str, alone: str, with_token: str, with_entra: str, with_entra_and_name: str, token_file: Path
) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    given: list[dict[str, object]] = [
        {},
        {"console_token_file": token_file},
        ENTRA,
        ENTRA | {"console_name": "console.example.com"},
    ]
    found = [access_of(settings_of(console_host=host, **each)) for each in given]
    assert found == [alone, with_token, with_entra, with_entra_and_name]


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_name_opens_nothing_by_itself() -> None:
    settings = settings_of(console_host="0.0.0.0", console_name="console.example.com")  # noqa: S104 - the same
    with pytest.raises(SettingsError, match=r"PROXY_CONSOLE_HOST: 0\.0\.0\.0 is open .* set PROXY_CONSOLE_TOKEN_FILE"):
        check_access(settings)


def test_entra_for_other_machines_wants_the_name_that_browsers_come_back_to() -> None:
    with pytest.raises(SettingsError, match="set PROXY_CONSOLE_NAME to the host name"):
        check_access(settings_of(console_host="0.0.0.0", **ENTRA))  # noqa: S104 - the same


@pytest.mark.parametrize("name", ["console_tenant_id", "console_client_id", "console_principals"])
def test_entra_wants_a_tenant_an_app_and_principals(name: str) -> None:
    with pytest.raises(SettingsError, match=f"needs PROXY_{name.upper()}; set them"):
        settings_of(**ENTRA | {name: ""})


def test_a_localhost_that_resolves_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hosts file may say so. The address that is bound counts, not the name."""
    bind: Callable[..., None] = socket.socket.bind
    monkeypatch.setattr(socket.socket, "bind", lambda self, address: bind(self, ("0.0.0.0", address[1])))  # noqa: S104
    settings = settings_of(console_host="localhost")
    check_access(settings)
    with pytest.raises(SettingsError, match="localhost is open to other machines"):
        listen(settings)


@pytest.mark.parametrize("host", ["nothing.invalid", "203.0.113.7", "x" * 70, "[::1]"])
def test_an_address_of_another_machine_is_one_line(host: str, token_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"PROXY_CONSOLE_HOST, PROXY_CONSOLE_PORT: can't listen on .*: \w+"):
        listen(settings_of(console_host=host, console_token_file=token_file))


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"can't listen on 127.0.0.1:{port}: Address already in use"):
            listen(load_settings(keyring="{}", console_port=port))


def test_the_address_to_open_has_brackets_where_browsers_want_them() -> None:
    with listen(settings_of()) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    if _has_ipv6():
        with listen(settings_of(console_host="::1")) as listener:
            assert url_of(listener).startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"short", "has 5 characters; a token has at least 20"),
        (b"\n \n", "has 0 characters"),
        (b"two words of a long sentence", "must have one line without blanks"),
        (b"a-token-with-many\ncharacters", "must have one line without blanks"),
        (b"\xff" * 30, "can't be read: is no UTF-8"),
        (None, "can't be read: No such file or directory"),
    ],
)
def test_a_token_that_is_none_is_one_line_without_it(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        check_access(settings_of(console_token_file=path))
    assert str(caught.value).startswith(f"PROXY_CONSOLE_TOKEN_FILE: {path}: {reason}")
    assert "short" not in str(caught.value)
    assert "sentence" not in str(caught.value)


def test_blanks_around_a_token_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"  {TOKEN}\r\n", encoding="utf-8")
    assert read_token(tmp_path / "token") == TOKEN


def test_what_may_not_be_meant_is_a_warning(token_file: Path) -> None:
    name = {"console_name": "console.example.com"}
    assert warnings_of(settings_of()) == []
    assert warnings_of(settings_of(console_token_file=token_file, **name)) == []
    assert warnings_of(settings_of(console_name="localhost:8090")) == []
    (found,) = warnings_of(settings_of(**name))
    assert "a proxy of this name opens the console" in found
    (found,) = warnings_of(settings_of(console_token_file=token_file, **ENTRA))
    assert "has no effect" in found


@pytest.mark.parametrize("package", console_start.PACKAGES)
def test_a_missing_package_names_the_extra(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CommandError, match=package):
        console_start.start_console(Namespace())
    assert main(["console"]) == 1
    errors = capsys.readouterr().err
    assert errors == f"console: needs the packages {package}; run: pip install 'spatial-data-proxy[console]'\n"
