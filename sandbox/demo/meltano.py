"""Runs Meltano in this repository, apart from what its user keeps there."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROOT = Path(__file__).resolve().parents[2]
_PROGRESS = "tap-openai-audit.audit_logs"
_LAST_LINES = 20


class MeltanoError(Exception):
    """A command of Meltano failed."""


@dataclass(frozen=True)
class Meltano:
    """How Meltano is called.

    Attributes:
        environment: The environment's name in `meltano.yml`.
        settings: Environment variables.
        directory: Where state and logs are kept. A new one begins without state.
        tell: Gets what the tap says of its progress, a line each.
    """

    environment: str
    settings: Mapping[str, str]
    directory: Path
    tell: Callable[[str], None]

    def call(self, *arguments: str) -> None:
        """Run a command.

        Raises:
            MeltanoError: It failed; the text is what it said at last.
        """
        said: list[str] = []
        # The settings are the caller's: what `.env` says must not come in between.
        nothing = self.directory / "nothing.env"
        nothing.touch()
        command = [
            str(Path(sys.executable).with_name("meltano")),
            f"--environment={self.environment}",
            f"--env-file={nothing}",
            "--log-format=json",
            *arguments,
        ]
        variables = {
            **self.settings,
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.directory / 'meltano.db'}",
        }
        with subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=_ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as process:
            try:
                said.extend(map(self._heard, process.stdout or ()))
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode:
            last = "\n".join(said[-_LAST_LINES:])
            raise MeltanoError(
                f"Meltano ended with exit code {process.returncode}:\n{last}"
            )

    def _heard(self, line: str) -> str:
        """Return the text of a line of the log, and pass progress on."""
        try:
            entry = json.loads(line)
        except ValueError:
            return line.rstrip()
        text = str(entry.get("event"))
        if entry.get("plugin_logger") == _PROGRESS and " events " in text:
            self.tell(text)
        return text
