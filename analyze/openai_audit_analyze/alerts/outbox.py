"""What was sent to whom: a table beside the findings, and the only memory there is.

A finding becomes a row for each receiver that is to be told. A run claims rows, sends,
and marks them as sent; whoever finds a claim that is too old to be alive takes it up
again. So each finding arrives at least once, and twice only if a run was cut off
between sending and marking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.alerts.findings import Finding, below, rank

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openai_audit_analyze.alerts.settings import Receiver
    from openai_audit_analyze.alerts.warehouse import Execute, Warehouse

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
"""Times are UTC. `error` is why the last attempt failed, null where it did not."""

_LEASE = "interval '15 minutes'"
"""How long a claim holds. It is longer than a run can be (`LONGEST_RUN`), so a claim
that is older was cut off."""

_NOW = "(now() at time zone 'utc')"
"""The database's clock, which all who send share."""

_UNSENT = "alert.sent_at is null"
_FREE = (
    f"{_UNSENT} and (alert.claimed_at is null or alert.claimed_at < {_NOW} - {_LEASE})"
)
"""What nobody sends now."""

_INTRODUCTION = "introduction:"
"""Begins the id of a row that stands for a receiver's first message at a minimum
severity: the one that sums up all findings that were there before."""


@dataclass(frozen=True)
class Claim:
    """What one message is to tell one receiver, and nobody else tells it meanwhile.

    Attributes:
        receiver: Who is told.
        findings: Of what, the most severe first. Empty only in an introduction.
        introduction: Whether it is the first message to this receiver at its minimum
            severity.
        is_known: Whether the receiver had another minimum severity before.
        left: How many findings that wait as well are left for further messages.
        ids: The rows that it holds.
        claimed_at: When it was claimed, which tells it from a later claim.
    """

    receiver: Receiver
    findings: Sequence[Finding]
    introduction: bool
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
        digest_above: How many findings get a message each; more become one.
    """

    warehouse: Warehouse
    schema: str
    outbox_schema: str
    digest_above: int

    def prepare(self) -> None:
        """Create the table, and its schema, if they are not there.

        Raises:
            WarehouseFailed: The database does not allow it, or cannot be reached.
        """
        with self.warehouse.transaction() as execute:
            # Asked first: `if not exists` needs the right to create, also where it is.
            if execute(
                "select 1 from information_schema.tables"
                " where table_schema = %s and table_name = %s",
                self.outbox_schema,
                OUTBOX,
            ):
                return
            execute(self.warehouse.alone)
            if not execute(
                "select 1 from information_schema.schemata where schema_name = %s",
                self.outbox_schema,
            ):
                execute(f"create schema if not exists {_quoted(self.outbox_schema)}")
            execute(DEFINITION.format(schema=_quoted(self.outbox_schema)))

    def enqueue(self, receiver: Receiver) -> None:
        """Make rows of what the receiver is to be told and has no row for yet.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as execute:
            execute(
                f"insert into {self._outbox} (receiver, finding_id)"
                " values (%s, %s) on conflict do nothing",
                receiver.name,
                _introduction(receiver),
            )
            execute(
                f"insert into {self._outbox} (receiver, finding_id)"
                f" select %s, finding.finding_id from {self._told} as finding"
                " on conflict do nothing",
                receiver.name,
                below(receiver.minimum_severity),
            )

    def claim(
        self,
        receiver: Receiver,
        at_most: int | None = None,
        without: Collection[str] = (),
    ) -> Claim | None:
        """Claim what the next message to a receiver tells. None: nothing is free.

        That is one finding; or all, if they are too many, or were there before the
        receiver was.

        Args:
            receiver: Who is told.
            at_most: Of how many findings, those that failed least often. None: of all.
            without: Ids of findings to leave for another run.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as execute:
            execute(self.warehouse.alone)
            waiting = self._waiting(execute, receiver)
            introduction = self._is_new(execute, receiver)
            places = [
                place
                for place, (finding, _) in enumerate(waiting)
                if finding.finding_id not in without
            ]
            if not places and not introduction:
                return None
            if not introduction and len(places) <= self.digest_above:
                at_most = 1
            # One that a receiver does not take must not keep others from it for ever.
            places.sort(key=lambda place: waiting[place][1])
            findings = [waiting[place][0] for place in sorted(places[:at_most])]
            ids = [finding.finding_id for finding in findings]
            if introduction:
                ids.append(_introduction(receiver))
            claimed = execute(
                f"update {self._outbox}"
                f" set claimed_at = {_NOW}, attempts = attempts + 1"
                f" where receiver = %s and {_AMONG} returning claimed_at",
                receiver.name,
                ids,
            )
            left = len(waiting) - len(findings)
            return Claim(
                receiver=receiver,
                findings=findings,
                introduction=introduction,
                is_known=introduction and self._is_known(execute, receiver),
                left=left,
                ids=ids,
                claimed_at=claimed[0][0],
            )

    def sent(self, claim: Claim) -> None:
        """Mark what was claimed as sent.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as execute:
            execute(
                f"update {self._outbox} set sent_at = {_NOW}, error = null"
                f" where receiver = %s and {_AMONG}",
                claim.receiver.name,
                list(claim.ids),
            )

    def failed(self, claim: Claim, error: str) -> None:
        """Give back what was claimed.

        Args:
            claim: What was not sent, as far as is known.
            error: Why, in words that hold nothing from outside.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as execute:
            execute(
                f"update {self._outbox} set claimed_at = null, error = %s"
                f" where receiver = %s and {_AMONG}"
                " and claimed_at = %s and sent_at is null",
                error,
                claim.receiver.name,
                list(claim.ids),
                claim.claimed_at,
            )

    def unsent(self, receiver: Receiver) -> int:
        """Count the findings that a receiver lacks, also those that others send now.

        An introduction counts as one if it would tell of none.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        with self.warehouse.transaction() as execute:
            findings = self._waiting(execute, receiver, _UNSENT)
            return len(findings) or int(self._is_new(execute, receiver, _UNSENT))

    def _is_new(
        self, execute: Execute, receiver: Receiver, condition: str = _FREE
    ) -> bool:
        """Tell whether the introduction is still to be sent."""
        rows = execute(
            f"select finding_id from {self._outbox} as alert"
            f" where receiver = %s and finding_id = %s and {condition}",
            receiver.name,
            _introduction(receiver),
        )
        return bool(rows)

    def _is_known(self, execute: Execute, receiver: Receiver) -> bool:
        """Tell whether the receiver has had an introduction."""
        rows = execute(
            f"select 1 from {self._outbox} where receiver = %s and finding_id like %s"
            " and sent_at is not null limit 1",
            receiver.name,
            f"{_INTRODUCTION}%",
        )
        return bool(rows)

    def _waiting(
        self, execute: Execute, receiver: Receiver, condition: str = _FREE
    ) -> list[tuple[Finding, int]]:
        """Return what is not sent, the most severe first, and how often each failed."""
        rows = execute(
            f"select alert.attempts, {_COLUMNS}"
            f" from {self._outbox} as alert"
            f" join {self._told} as finding on finding.finding_id = alert.finding_id"
            f" where alert.receiver = %s and {condition}"
            " order by finding.detected_at desc, finding.finding_id",
            below(receiver.minimum_severity),
            receiver.name,
        )
        waiting = [(Finding(*columns), attempts) for attempts, *columns in rows]
        return sorted(waiting, key=lambda row: rank(row[0].severity))

    @property
    def _told(self) -> str:
        """A query of the findings to tell of; its parameter: severities to leave out.

        A suppression counts if it held when the finding was made or holds now.
        """
        findings = f"{_quoted(self.schema)}.openai_audit__findings"
        return (
            f"(select told.* from {findings} as told"
            f" left join {findings}_now as today on today.finding_id = told.finding_id"
            " where told.suppressed_reason is null and today.suppressed_reason is null"
            " and told.severity not in (select unnest(%s::text[])))"
        )

    @property
    def _outbox(self) -> str:
        return f"{_quoted(self.outbox_schema)}.{OUTBOX}"


_COLUMNS = ", ".join(
    f"cast(finding.{name} as text)" if name.endswith("_at") else f"finding.{name}"
    for name in Finding.__dataclass_fields__
)
_AMONG = "finding_id in (select unnest(%s::text[]))"


def _introduction(receiver: Receiver) -> str:
    """Return the id of the introduction.

    Each minimum severity has one: what a lower one adds of the past is summed up too.
    """
    return f"{_INTRODUCTION}{receiver.minimum_severity}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
