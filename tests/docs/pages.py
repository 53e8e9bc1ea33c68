"""The documents, as tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read(name: str) -> str:
    """A page by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text below a heading such as `## Limits`, up to the next heading of the same level or a higher one."""
    level = heading.count("#")
    rest = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def block(text: str, language: str) -> str:
    """The first fenced block of a language."""
    return text.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def table(text: str, start: str) -> list[list[str]]:
    """The rows of the table whose head begins so, without its head."""
    lines = text[text.index(f"| {start}") :].splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    return rows[: next((number for number, row in enumerate(rows) if not row), len(rows))]


def without_blocks(text: str) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """The texts between backticks, in lines and cells."""
    return re.findall("`([^`\n]+)`", without_blocks(text))


def links(text: str) -> Iterator[str]:
    """The targets of links and images."""
    yield from re.findall(r"\]\(([^)\s]+)\)", re.sub("`[^`\\n]+`", "", without_blocks(text)))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub and the site give the headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
