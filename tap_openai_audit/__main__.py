"""The command `tap-openai-audit`."""

from __future__ import annotations

from tap_openai_audit import startup


def main() -> None:
    """Run the tap."""
    startup.use_one_arena()
    startup.defer()
    from tap_openai_audit.tap import TapOpenAIAudit  # noqa: PLC0415 - after `defer`

    TapOpenAIAudit.cli()


if __name__ == "__main__":
    main()
