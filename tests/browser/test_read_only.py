"""A read-only console offers no change on any of its pages."""

import pytest
from starlette.routing import compile_path

from proxy.console.app import PAGES as MODULES
from tests.browser.pages import PAGES, Site
from tests.support.console_browser import Tab

pytestmark = pytest.mark.slow

CHANGES = [
    compile_path(route.path)[0] for module in MODULES for route in module.ROUTES if "POST" in (route.methods or ())
]
"""The paths that forms of changes go to. The page that asks before a change has the same path."""

ELSEWHERE = {"sign-in", "load-file"}
"""Pages that the read-only console does not have: it is open to all, and takes no files."""

_FOUND = """() => ({
  links: [...document.querySelectorAll('a:not([href^="#"]), [hx-get]')].map((each) => each.pathname ?? ''),
  forms: [...document.querySelectorAll('form')].filter((each) => each.method === 'post').map((each) => each.action),
})"""


def find_changes(tab: Tab) -> list[str]:
    """The links to changes and the forms that a page has."""
    found = tab.page.evaluate(_FOUND)
    changes = [path for path in found["links"] if any(each.match(path) for each in CHANGES)]
    return [*changes, *map(str, found["forms"])]


def test_no_page_offers_a_change(site: Site, tab: Tab) -> None:
    offered = {}
    for page in PAGES:
        tab.open(site.url(page, site.read_only), 404 if page.name in ELSEWHERE else page.status)
        offered[page.name] = find_changes(tab)
        assert tab.page.locator(".who").get_by_text("read-only", exact=True).count() == 1
    assert {name: changes for name, changes in offered.items() if changes} == {}


def test_else_pages_offer_changes(site: Site, tab: Tab) -> None:
    offered = set()
    for page in PAGES:
        if page.name in {"load", "job-pending", "source", "keys", "confirm"}:
            site.open(page, tab)
            offered |= {path.rpartition("/")[2] for path in find_changes(tab)}
    assert offered == {
        "preview",
        "abort",
        "access",
        "delete",
        "delete-staged",
        "publish",
        "roll-back",
        "add",
        "revoke",
        "retry",
    }
