"""The page that a browser gets at the root."""

from typing import Any

import pytest

from proxy.api.landing_page import asks_for_landing_page, render_landing_page

BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def scope(path: str = "/", accept: str | None = BROWSER, method: str = "GET") -> dict[str, Any]:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return {"path": path, "method": method, "headers": headers}


def test_a_browser_at_the_root_asks_for_the_page() -> None:
    assert asks_for_landing_page(scope())
    assert asks_for_landing_page(scope(method="HEAD"))


@pytest.mark.parametrize(
    "request_scope",
    [
        scope(accept=None),
        scope(accept="*/*"),
        scope(accept="application/json"),
        scope(method="POST"),
        scope("/REST/v1/Dataflows/ListJobs"),
        scope("//"),
    ],
)
def test_any_other_request_does_not(request_scope: dict[str, Any]) -> None:
    assert not asks_for_landing_page(request_scope)


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    response = render_landing_page()
    text = bytes(response.body).decode()
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert not [word for word in ("<script", "src=", "<link", "style", "http") if word in text]
    assert '<a href="/livez">' in text


def test_the_page_links_to_the_projects_documents() -> None:
    page = bytes(render_landing_page(['Documentation, https://docs.example/?a=1&b="']).body).decode()
    assert '<a href="https://docs.example/?a=1&amp;b=&quot;" rel="noreferrer">documents</a>' in page
