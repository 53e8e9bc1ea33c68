"""The console's page of one job, as tests read it."""

from tests.support.console import LiveConsole
from tests.support.storage import Storage


def path_of(storage: Storage, job_id: str) -> str:
    """The path of a job's page."""
    return f"/accounts/{storage.account}/jobs/{job_id}"


def rows(console: LiveConsole, path: str, label: str) -> dict[str, list[str]]:
    """The rows of a table of the page, by their heads; blanks as one."""
    found = console.page(path).xpath(f"//*[@aria-label='{label}']//tbody/tr")
    cells = ([" ".join(cell.text_content().split()) for cell in row] for row in found)
    return {head: rest for head, *rest in cells}
