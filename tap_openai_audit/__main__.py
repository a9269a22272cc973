"""The command `tap-openai-audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_openai_audit.singer import start

if TYPE_CHECKING:
    from tap_openai_audit.tap import TapOpenAIAudit


def main() -> None:
    """Run the tap."""
    start.run(_load)


def _load() -> type[TapOpenAIAudit]:
    from tap_openai_audit.tap import TapOpenAIAudit  # noqa: PLC0415 - see `run`

    return TapOpenAIAudit


if __name__ == "__main__":
    main()
