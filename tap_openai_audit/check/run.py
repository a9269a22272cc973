"""Runs the checks of a tap, prints what they found, and says how that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_openai_audit.check.findings import Finding, Findings, Status
from tap_openai_audit.errors import Terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Check(Protocol):
    """The checks of a tap, one after the other."""

    def findings(self) -> Iterator[Finding]:
        """Do all checks that can be done."""


def check(begin: Callable[[], Check], names: Sequence[str], output: str) -> int:
    """Do all checks and print what they found.

    Args:
        begin: Reads the settings. It raises `ConfigValidationError` if they cannot be
            used.
        names: All checks, in the order in which they are printed.
        output: `text` or `json`.

    Returns:
        The exit code: 0 if a sync would work.
    """
    try:
        found = [*begin().findings()]
    except ConfigValidationError as error:
        text, facts = "; ".join(error.errors), {"problems": error.errors}
        found = [Finding("settings", Status.FAILED, text, facts)]
    except Terminated as signal:
        return signal.exit_code
    findings = _complete(found, names)
    click.echo(findings.as_json() if output == "json" else findings.as_text())
    return 0 if findings.works else 1


def _complete(done: Sequence[Finding], names: Sequence[str]) -> Findings:
    """Name also the checks that were not done, so that none is missed in silence."""
    found = {finding.name: finding for finding in done}
    text = "Not checked, because of what failed"
    return Findings(
        [found.get(name) or Finding(name, Status.SKIPPED, text) for name in names]
    )
