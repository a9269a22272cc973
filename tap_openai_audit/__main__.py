"""The command `tap-openai-audit`."""

from __future__ import annotations

import sys

from tap_openai_audit import startup


def main() -> None:
    """Run the tap."""
    startup.end_when_interrupted()
    startup.keep_memory_small()
    startup.defer()
    # All after `defer`.
    from tap_openai_audit.errors import TapError  # noqa: PLC0415
    from tap_openai_audit.singer import inputs  # noqa: PLC0415
    from tap_openai_audit.singer.cli import discard_stdout, fail  # noqa: PLC0415
    from tap_openai_audit.tap import TapOpenAIAudit  # noqa: PLC0415

    with inputs.logging_set_up(TapOpenAIAudit.name):
        command = TapOpenAIAudit.cli
    try:
        try:
            command()
        finally:
            # Here, because at the interpreter's end nobody can handle that it fails.
            if sys.stdout is not None:
                sys.stdout.flush()
    except TapError as error:
        fail(TapOpenAIAudit.logger, error)
    except OSError as error:
        discard_stdout()
        sys.exit(f"The output cannot be written to stdout ({error.strerror})")


if __name__ == "__main__":
    main()
