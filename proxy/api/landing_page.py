"""The page for a person who opens the endpoint's root in a browser."""

from html import escape
from importlib.metadata import PackageNotFoundError, metadata

from starlette.responses import Response
from starlette.types import Scope

from proxy.api.responses import PROTECTIVE
from proxy.version import PROGRAM

LANDING_PAGE = "landing_page"
"""The name of these requests in logs and metrics."""

_HEADERS = PROTECTIVE | {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def asks_for_landing_page(scope: Scope) -> bool:
    """Whether a browser opens `/`. Clients of the API do not ask for HTML, and get its 404."""
    if scope["path"] != "/" or scope["method"] not in {"GET", "HEAD"}:
        return False
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"])


def render_landing_page(urls: list[str] | None = None) -> Response:
    """Says what this endpoint is, and where to read more. Nothing of the request is in it.

    Args:
        urls: the project's URLs as package metadata has them, `label, URL`; None: those of this installation.
    """
    documents = "The README of the project describes the operations."
    for each in _read_project_urls() if urls is None else urls:
        url = each.partition(",")[2].strip()
        documents = f'Its <a href="{escape(url)}" rel="noreferrer">documents</a> describe the operations.'
        break
    page = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{PROGRAM}</title></head>
<body>
<h1>{PROGRAM}</h1>
<p>This is an endpoint for programs that use the Bing Maps Spatial Data Services. Its data is in Azure Storage.</p>
<p>Programs call it below <code>/REST/v1/</code> with a key. There is nothing to see here in a browser.</p>
<p>{documents} <a href="/livez">/livez</a> tells whether it runs.</p>
</body>
</html>
"""
    return Response(page, headers=_HEADERS)


def _read_project_urls() -> list[str]:
    try:
        return metadata(PROGRAM).get_all("Project-URL") or []
    except PackageNotFoundError:  # pragma: no cover - the source alone, which nobody installed
        return []
