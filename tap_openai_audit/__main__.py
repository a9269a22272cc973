"""The command `tap-openai-audit`."""

from __future__ import annotations


def main() -> None:
    """Run the tap."""
    from tap_openai_audit.tap import TapOpenAIAudit  # noqa: PLC0415

    TapOpenAIAudit.cli()


if __name__ == "__main__":
    main()
