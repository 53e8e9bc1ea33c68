"""Hooks of MkDocs: the site also has the pages of the repository's root."""  # noqa: INP001 - MkDocs loads it by its path

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT_PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
ROOT = Path(__file__).parents[1]

# A link from a page in docs/ to one of the root, as GitHub follows it.
_ROOT_LINK = re.compile(rf"\]\((?:\.\./)+({'|'.join(map(re.escape, ROOT_PAGES))})")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the root beside those of docs/."""
    for name in ROOT_PAGES:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Rewrites links between docs/ and the root for the places that the pages have on the site."""
    source = page.file.src_uri
    if source in ROOT_PAGES:
        return markdown.replace("](docs/", "](").replace("](README.md)", "](index.md)")
    up = "../" * source.count("/")
    return _ROOT_LINK.sub(lambda link: f"]({up}{link[1]}", markdown)
