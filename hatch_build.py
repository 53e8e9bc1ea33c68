"""Package metadata that depends on where the project is published."""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE_IMAGE = re.compile(r"(!\[[^]]*\])\((?!https?://)([^)]+)\)")
_RELATIVE_LINK = re.compile(r"\]\((?!https?://|#)([^)]+)\)")


class ProjectLinks(MetadataHookInterface):
    """Sets the project's URLs and makes the README's relative links absolute, so that they work on a package page.

    The release workflow sets `PROJECT_URL` to the repository's address. Without it (a checkout, a fork's build) the
    package has no URLs, and the README is taken as it is.
    """

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds `readme` and, where `PROJECT_URL` is set, `urls`."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        base = os.environ.get("PROJECT_URL", "").rstrip("/")
        metadata["urls"] = {}
        if base:
            metadata["urls"] = {
                "Homepage": base,
                "Documentation": f"{base}/tree/main/docs",
                "Changelog": f"{base}/blob/main/CHANGELOG.md",
                "Issues": f"{base}/issues",
            }
            readme = _RELATIVE_IMAGE.sub(rf"\1({base}/raw/main/\2)", readme)
            readme = _RELATIVE_LINK.sub(rf"]({base}/blob/main/\1)", readme)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
