"""Figures that docs/performance.md shows, each table between two marks of the page."""

import platform
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def machine() -> str:
    """The processors, the system, the Python version and the day."""
    information = Path("/proc/cpuinfo").read_text(encoding="ascii")
    names = [line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")]
    return (
        f"{len(names)} cores of {names[0]}, {platform.system()} {platform.release().partition('-')[0]},"
        f" Python {platform.python_version()}, {datetime.now(UTC):%d %B %Y}"
    )


def section(name: str, text: str) -> str:
    """The marks of this name, with the text between them."""
    return f"<!-- {name} -->\n\n{text}\n\n<!-- end of {name} -->"


def publish(name: str, text: str) -> None:
    """Writes a text between the marks of this name."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(f"<!-- {name} -->")
    after = rest.partition(f"<!-- end of {name} -->")[2]
    PAGE.write_text(before + section(name, text) + after, encoding="utf-8")
