"""What hatchling does besides when it builds the package.

The package index shows the README, but has none of the pages that it links to: there
the links lead to the repository, as of the version.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Readme(MetadataHookInterface):
    """Makes the README of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme`, which pyproject.toml says is dynamic."""
        pages = f"{metadata['urls']['Repository']}/blob/v{metadata['version']}"
        text = (Path(self.root) / "README.md").read_text("utf-8")
        linked = re.sub(r"\]\((?!\w+:)", f"]({pages}/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": linked}
