"""A build hook of hatchling: the README that the package index shows.

The index does not have the pages that the README links to, so the links lead to the
repository, at the tag of the version.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Readme(MetadataHookInterface):
    """Write the README of the package, with absolute links."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme`, which pyproject.toml declares as dynamic."""
        pages = f"{metadata['urls']['Repository']}/blob/v{metadata['version']}"
        text = (Path(self.root) / "README.md").read_text("utf-8")
        linked = re.sub(r"\]\((?!\w+:)", f"]({pages}/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": linked}
