"""Each route that changes something refuses what is not from a page of the same session."""

from pathlib import Path

import pytest
from starlette.routing import Route

from proxy.console import sign_in
from proxy.console.app import PAGES
from tests.integration.console.conftest import StartConsole
from tests.support.audited_changes import changes
from tests.support.console import LiveConsole
from tests.support.storage import Storage

TOKEN = "a-token-with-many-characters"  # noqa: S105 - opens nothing
NAMES = {"id": "0" * 32, "name": "Shops", "digest": "0" * 16}

CHANGES = tuple(
    route.path
    for module in PAGES
    for route in module.ROUTES
    if isinstance(route, Route) and route.methods and not route.methods <= {"GET", "HEAD"}
)


def path_of(storage: Storage, path: str) -> str:
    """A path of the console's own account."""
    return path.format(account=storage.account, **NAMES)


def status_of(console: LiveConsole, path: str, **options: object) -> int:
    """The status of a form with a file, which is what each route takes; without a csrf token of its own."""
    fields = {"csrf": str(options.pop("csrf", ""))}
    headers = {"Origin": console.url} | dict(options.pop("headers", {}))  # type: ignore[call-overload]  # a mapping
    response = console.client.post(console.url + path, data=fields, files={"file": b"x"}, headers=headers)
    return response.status_code


def test_these_are_all_changes() -> None:
    assert len(CHANGES) >= 11
    assert {"/keys/add", "/load/preview", "/load/{id}/job"} < set(CHANGES)


@pytest.mark.parametrize("path", [*CHANGES, sign_in.SIGN_OUT.path, "/sign-in"])
def test_a_form_of_another_page_or_session_is_refused(
    path: str, storage: Storage, open_console: StartConsole, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    here = path_of(storage, path)
    closed = open_console(storage, console_token_file=tmp_path / "token")
    read_only = open_console(storage, console_read_only=True)
    console = open_console(storage)
    right = console.csrf("/load") if path in CHANGES else ""
    foreign = (
        "null",
        "https://evil.example",
        f"http://127.0.0.1:{console.port + 1}",
        f"{console.url}.evil.example",
        "",
    )
    for origin in foreign:
        assert status_of(console, here, csrf=right, headers={"Origin": origin}) == 403
    assert status_of(console, here, csrf=right, headers={"Host": "evil.example"}) == 421
    if path in CHANGES:
        for wrong in ("", right[:-1], right.upper(), f"{right} "):
            assert status_of(console, here, csrf=wrong) == 403
        assert status_of(read_only, here, csrf=right) == 403
        assert status_of(closed, here, csrf=right) == 303
    assert changes(storage) == []
