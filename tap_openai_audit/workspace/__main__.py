"""The command `tap-chatgpt-workspace`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_openai_audit.singer import start

if TYPE_CHECKING:
    from tap_openai_audit.workspace.tap import TapChatGPTWorkspace


def main() -> None:
    """Run the tap."""
    start.run(_load)


def _load() -> type[TapChatGPTWorkspace]:
    from tap_openai_audit.workspace.tap import TapChatGPTWorkspace  # noqa: PLC0415 - see `run`

    return TapChatGPTWorkspace


if __name__ == "__main__":
    main()
