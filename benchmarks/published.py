"""Figures that the README shows: kept as JSON beside what measures them, and put between two marks of the page."""

import platform
from datetime import UTC, datetime
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def machine() -> str:
    """This machine and the day, in words."""
    information = Path("/proc/cpuinfo").read_text(encoding="ascii")
    names = [line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")]
    return (
        f"{len(names)} cores of {names[0]}, {platform.system()} {platform.release().partition('-')[0]},"
        f" Python {platform.python_version()}, {datetime.now(UTC):%d %B %Y}"
    )


def section(name: str, text: str) -> str:
    """What the page has between its marks of this name."""
    return f"<!-- {name} -->\n{text}\n<!-- end of {name} -->"


def publish(name: str, text: str) -> None:
    """Puts a text between the marks of this name."""
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(f"<!-- {name} -->")
    after = rest.partition(f"<!-- end of {name} -->")[2]
    README.write_text(before + section(name, text) + after, encoding="utf-8")
