"""What was sent to whom: a table beside the findings, and the only memory there is.

Each finding becomes a row for each receiver that is to get it. A run claims rows, sends
them, and marks them as sent; a later run takes over a claim that is too old to belong
to a live run. So each finding arrives at least once, and twice only if a run was cut
off between sending and marking.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from openai_audit_analyze import models
from openai_audit_analyze.alerts.finding import Finding
from openai_audit_analyze.alerts.settings import COMMAND
from openai_audit_analyze.contract import below, rank

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openai_audit_analyze.alerts.settings import Receiver
    from openai_audit_analyze.warehouse import Query, Warehouse

OUTBOX = "openai_audit__alerts"

DEFINITION = f"""
create table if not exists {{schema}}.{OUTBOX} (
    receiver text not null,
    finding_id text not null,
    attempts integer default 0 not null,
    claimed_at timestamp,
    sent_at timestamp,
    error text,
    primary key (receiver, finding_id)
)
"""
"""Times are UTC. `error` says why the last attempt failed; null: it did not."""

_NEEDED = {
    "openai_audit__findings": (
        *(field.name for field in fields(Finding)),
        "suppressed_reason",
    ),
    "openai_audit__findings_now": ("finding_id", "suppressed_reason"),
}
"""The columns that a run reads."""

_LEASE = "interval '15 minutes'"
"""How long a claim holds: longer than a run can be (`LONGEST_RUN`), so that an older
claim belongs to a run that was cut off."""

_NOW = "(now() at time zone 'UTC')"
"""The database's clock, which all runs share."""

_UNSENT = "alert.sent_at is null"
_FREE = (
    f"{_UNSENT} and (alert.claimed_at is null or alert.claimed_at < {_NOW} - {_LEASE})"
)
"""Rows that no live run is sending."""

_INTRODUCTION = "introduction:"
"""Begins the id of a row that stands for a receiver's first message at a minimum
severity: the one that sums up the findings that were there before."""


@dataclass(frozen=True)
class Claim:
    """The content of one message to one receiver, which no other run sends meanwhile.

    Attributes:
        receiver: Where it is sent.
        findings: The most severe first. Empty only in an introduction.
        is_introduction: Whether it is the first message to this receiver at its minimum
            severity.
        is_known: Whether the receiver had another minimum severity before.
        left: How many findings are left for further messages.
        ids: The rows that it holds.
        claimed_at: When it was claimed, which distinguishes it from a later claim.
    """

    receiver: Receiver
    findings: Sequence[Finding]
    is_introduction: bool
    is_known: bool
    left: int
    ids: Sequence[str]
    claimed_at: datetime


@dataclass(frozen=True)
class Outbox:
    """The outbox of a warehouse.

    Attributes:
        warehouse: The database.
        schema: The schema with the findings.
        outbox_schema: The schema with the outbox.
        digest_above: How many findings get a message each. More become one message.
    """

    warehouse: Warehouse
    schema: str
    outbox_schema: str
    digest_above: int

    def prepare(self) -> None:
        """Check that the findings can be read, and create the table if it is missing.

        Raises:
            WarehouseFailed: The findings are not there, or the database does not allow
                it, or cannot be reached.
        """
        with self.warehouse.transaction() as query:
            # Before anything is created: a misspelt schema must not come into being.
            models.found(self.warehouse, query, self.schema, COMMAND).require(_NEEDED)
            # `if not exists` needs the right to create, also where the table exists.
            if query(
                "select 1 from information_schema.tables"
                " where table_schema = %(schema)s and table_name = %(table)s",
                schema=self.outbox_schema,
                table=OUTBOX,
            ):
                return
            query(self.warehouse.lock)
            if not query(
                "select 1 from information_schema.schemata"
                " where schema_name = %(schema)s",
                schema=self.outbox_schema,
            ):
                query(f"create schema if not exists {_quoted(self.outbox_schema)}")
            query(DEFINITION.format(schema=_quoted(self.outbox_schema)))

    def enqueue(self, receiver: Receiver) -> None:
        """Add a row for each finding that the receiver is to get and has no row for.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as query:
            query(
                f"insert into {self._outbox} (receiver, finding_id)"
                " values (%(receiver)s, %(id)s) on conflict do nothing",
                receiver=receiver.name,
                id=_introduction(receiver),
            )
            query(
                f"insert into {self._outbox} (receiver, finding_id)"
                " select cast(%(receiver)s as text), finding.finding_id"
                f" from {self._findings} as finding on conflict do nothing",
                receiver=receiver.name,
                below=below(receiver.minimum_severity),
            )

    def claim(
        self,
        receiver: Receiver,
        at_most: int | None = None,
        without: Collection[str] = (),
    ) -> Claim | None:
        """Claim the content of the next message to a receiver. None: nothing is free.

        That is one finding; or all, if they are too many, or were there before the
        receiver was.

        Args:
            receiver: Where it is sent.
            at_most: The most findings, those first that failed least often. None: all.
            without: Ids of findings to leave for another run.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as query:
            query(self.warehouse.lock)
            waiting = self._waiting(query, receiver)
            is_introduction = self._is_new(query, receiver)
            places = [
                place
                for place, (finding, _) in enumerate(waiting)
                if finding.finding_id not in without
            ]
            if not places and not is_introduction:
                return None
            if not is_introduction and len(places) <= self.digest_above:
                at_most = 1
            # A finding that the receiver refuses must not keep others from it for ever.
            places.sort(key=lambda place: waiting[place][1])
            findings = [waiting[place][0] for place in sorted(places[:at_most])]
            ids = [finding.finding_id for finding in findings]
            if is_introduction:
                ids.append(_introduction(receiver))
            claimed = query(
                f"update {self._outbox}"
                f" set claimed_at = {_NOW}, attempts = attempts + 1"
                f" where receiver = %(receiver)s and {_AMONG} returning claimed_at",
                receiver=receiver.name,
                ids=ids,
            )
            left = len(waiting) - len(findings)
            return Claim(
                receiver=receiver,
                findings=findings,
                is_introduction=is_introduction,
                is_known=is_introduction and self._is_known(query, receiver),
                left=left,
                ids=ids,
                claimed_at=claimed[0]["claimed_at"],
            )

    def sent(self, claim: Claim) -> None:
        """Mark the rows of a claim as sent.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as query:
            query(
                f"update {self._outbox} set sent_at = {_NOW}, error = null"
                f" where receiver = %(receiver)s and {_AMONG}",
                receiver=claim.receiver.name,
                ids=list(claim.ids),
            )

    def failed(self, claim: Claim, error: str) -> None:
        """Release the rows of a claim that was not sent, as far as is known.

        Args:
            claim: The claim.
            error: Why it was not sent, without user-supplied text.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as query:
            query(
                f"update {self._outbox} set claimed_at = null, error = %(error)s"
                f" where receiver = %(receiver)s and {_AMONG}"
                " and claimed_at = %(claimed_at)s and sent_at is null",
                error=error,
                receiver=claim.receiver.name,
                ids=list(claim.ids),
                claimed_at=claim.claimed_at,
            )

    def unsent(self, receiver: Receiver) -> int:
        """Count the findings that a receiver lacks, also those that others send now.

        An introduction without findings counts as one.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as query:
            findings = self._waiting(query, receiver, _UNSENT)
            return len(findings) or int(self._is_new(query, receiver, _UNSENT))

    def _is_new(self, query: Query, receiver: Receiver, condition: str = _FREE) -> bool:
        """Return whether the introduction is still to be sent."""
        rows = query(
            f"select finding_id from {self._outbox} as alert"
            f" where receiver = %(receiver)s and finding_id = %(id)s and {condition}",
            receiver=receiver.name,
            id=_introduction(receiver),
        )
        return bool(rows)

    def _is_known(self, query: Query, receiver: Receiver) -> bool:
        """Return whether the receiver has had an introduction."""
        rows = query(
            f"select 1 from {self._outbox} where receiver = %(receiver)s"
            " and finding_id like %(pattern)s and sent_at is not null limit 1",
            receiver=receiver.name,
            pattern=f"{_INTRODUCTION}%",
        )
        return bool(rows)

    def _waiting(
        self, query: Query, receiver: Receiver, condition: str = _FREE
    ) -> list[tuple[Finding, int]]:
        """Return what is not sent, the most severe first, and how often each failed."""
        rows = query(
            f"select alert.attempts, {_COLUMNS}"
            f" from {self._outbox} as alert"
            f" join {self._findings} as finding"
            " on finding.finding_id = alert.finding_id"
            f" where alert.receiver = %(receiver)s and {condition}"
            " order by finding.detected_at desc, finding.finding_id",
            below=below(receiver.minimum_severity),
            receiver=receiver.name,
        )
        attempts = [row.pop("attempts") for row in rows]
        waiting = zip((Finding(**row) for row in rows), attempts, strict=True)
        return sorted(waiting, key=lambda row: rank(row[0].severity))

    @property
    def _findings(self) -> str:
        """A query of the findings to send; `below` has the severities to leave out.

        A suppression counts if it was in force on detection, or is in force now.
        """
        findings = f"{_quoted(self.schema)}.openai_audit__findings"
        return (
            f"(select found.* from {findings} as found"
            f" left join {findings}_now as today on today.finding_id = found.finding_id"
            " where found.suppressed_reason is null and today.suppressed_reason is null"
            " and found.severity not in (select unnest(cast(%(below)s as text[]))))"
        )

    @property
    def _outbox(self) -> str:
        return f"{_quoted(self.outbox_schema)}.{OUTBOX}"


_COLUMNS = ", ".join(
    f"cast(finding.{field.name} as text) as {field.name}"
    if field.name.endswith("_at")
    else f"finding.{field.name}"
    for field in fields(Finding)
)
_AMONG = "finding_id in (select unnest(cast(%(ids)s as text[])))"


def _introduction(receiver: Receiver) -> str:
    """Return the id of the introduction.

    Each minimum severity has one: what a lower one adds of the past is summed up too.
    """
    return f"{_INTRODUCTION}{receiver.minimum_severity}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
