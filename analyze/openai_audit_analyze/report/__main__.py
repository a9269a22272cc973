"""The command line: `openai-audit-report build`, in Meltano `report:build`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from openai_audit_analyze.report.build import NotWritten, build
from openai_audit_analyze.report.settings import settings
from openai_audit_analyze.settings import BadSettings
from openai_audit_analyze.warehouse import WarehouseFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, 1 if something failed."""
    parser = argparse.ArgumentParser(
        prog="openai-audit-report", description="Make a report of an audit log."
    )
    parser.add_argument("command", choices=["build"], help="make the report")
    parser.parse_args(arguments)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    try:
        place = build(settings(os.environ, now))
    except (BadSettings, WarehouseFailed, NotWritten) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        sys.stdout.write(f"{place.resolve()}\n")
        sys.stdout.flush()
    except OSError as error:
        # Else Python would try again at its end, and fail with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(
            "the report was written, but its path cannot be printed"
            f" ({error.strerror}): it is in REPORT_DIRECTORY\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
