"""The paths of accounts' jobs and data sources: as routes have them, and for one of each."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

JOB = "/accounts/{account}/jobs/{id}"
SOURCE = "/accounts/{account}/sources/{name}"


def job_path(account: str, job_id: str) -> str:
    """The path of a job's page."""
    return f"/accounts/{quote(account, safe='')}/jobs/{quote(job_id, safe='', errors='replace')}"


def source_path(account: str, name: str, part: str = "", parameters: Mapping[str, str] | None = None) -> str:
    """The path of a data source's page, or of a part of it; parameters without a value are left out."""
    there = quote(name, safe="", errors="replace")  # a row's text may hold half a character
    path = f"/accounts/{quote(account, safe='')}/sources/{there}{'/' if part else ''}{part}"
    return path + build_query(parameters or {})


def build_query(parameters: Mapping[str, str | None]) -> str:
    """The query of a URL with its question mark; parameters without a value are left out."""
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given, quote_via=quote, safe='$,', errors='replace')}" if given else ""
