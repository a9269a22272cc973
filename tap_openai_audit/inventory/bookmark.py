"""What the state keeps of a reference stream: when it was last read, and of whom.

docs/state.md describes the fields. All are always written, and all are texts, because
Meltano merges dictionaries of an old state into a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import msgspec

from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.periods import due_again_at
from tap_openai_audit.timestamps import iso, unix

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Fields(msgspec.Struct, forbid_unknown_fields=True):
    complete_at: str
    organization_id: str
    refused: str = ""


@dataclass(frozen=True)
class LastReading:
    """The last reading of a reference stream, whole but for lists that were refused."""

    complete_at: int
    """As of when the lists were read, in Unix seconds, by the API's clock if known."""
    organization_id: str
    """Whose lists they were."""
    refused: tuple[str, ...] = ()
    """The ids of the parents whose lists the API refused; all others were read."""

    @classmethod
    def read(cls, stream: str, bookmark: Mapping[str, Any]) -> LastReading | None:
        """Read the bookmark of a stream; None if it is empty.

        Raises:
            BadState: If it holds anything else.
        """
        if not bookmark:
            return None
        try:
            fields = msgspec.convert(bookmark, _Fields)
            refused = tuple(map(unquote, fields.refused.split()))
            at = int(unix(fields.complete_at))
            return cls(at, fields.organization_id, refused)
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            raise BadState(
                f"The state of {stream} cannot be read ({redacted(error)})"
            ) from None

    def write(self, bookmark: dict[str, Any]) -> None:
        """Write the bookmark, all of it."""
        bookmark.update(
            complete_at=iso(self.complete_at),
            organization_id=self.organization_id,
            # An id has no blank, but nothing promises that.
            refused=" ".join(quote(id_, "") for id_ in self.refused),
        )

    def suffices_until(
        self, every_hours: int, now: int, organization_id: str
    ) -> int | None:
        """Return when the stream has to be read again; None if that is now.

        Args:
            every_hours: How old a reading may become.
            now: The time, in Unix seconds. A reading from after it proves nothing.
            organization_id: Whose lists are asked for.
        """
        until = due_again_at(self.complete_at, every_hours)
        current = self.complete_at <= now < until
        return until if current and self.organization_id == organization_id else None
