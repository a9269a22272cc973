"""Shows two runs of Meltano into PostgreSQL, what dbt makes of it, and a report.

Without settings the API is a sandbox and the database an embedded one. It reads the
real API if `TAP_OPENAI_AUDIT_ADMIN_KEY` and `TAP_OPENAI_AUDIT_ORGANIZATION_ID` are set,
and loads into the real database if `TARGET_POSTGRES_*` are. State begins empty.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from sandbox.demo.meltano import Meltano, MeltanoError
from sandbox.demo.postgres import Database, EmbeddedPostgres, configured
from sandbox.process import SandboxError, SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import LiteralString

_TAP, _TARGET = "TAP_OPENAI_AUDIT_", "TARGET_POSTGRES_"
_REPORTS = Path(__file__).resolve().parents[2] / "output" / "demo"
"""Where the report is put, which stays when all else is gone, unless it is set."""

_LATE_SECONDS = 1800
_WIDEST_COLUMN = 36  # letters: five columns then fit most terminals
_WIDEST_SENTENCE = 120  # letters
_FEW_COLUMNS = 2
_WIDEST_TEXT = 400  # letters, where a line of its own may wrap

_EVENTS: LiteralString = """
    CREATE TEMP VIEW events AS SELECT id, effective_at, type,
        coalesce(
            actor #>> '{session,user,email}',
            actor #>> '{api_key,user,email}',
            actor #>> '{api_key,service_account,id}'
        ) AS actor,
        actor #>> '{session,ip_address}' AS ip_address,
        project ->> 'name' AS project
    FROM audit_logs
"""
_KNOWN: LiteralString = "CREATE TEMP TABLE known AS SELECT id FROM audit_logs"
_SHOWN: dict[str, LiteralString] = {
    "Events by type (times in UTC)": """
        SELECT type, count(*) AS events, min(effective_at) AS oldest,
            max(effective_at) AS newest
        FROM events GROUP BY type ORDER BY events DESC, type LIMIT 12
    """,
    "What the second run added": """
        SELECT effective_at, type, actor, ip_address, project
        FROM events WHERE id NOT IN (SELECT id FROM known) ORDER BY effective_at, id
    """,
    "What the tap says of both runs (sync_reports)": """
        SELECT started_at, scope, window_start, requests, events_read,
            events_emitted, events_known, events_late, complete
        FROM sync_reports WHERE scope IN ('organization', 'tenant')
        ORDER BY started_at DESC, scope LIMIT 4
    """,
}


_ANSWERS: dict[str, LiteralString] = {
    "What happened in the last 24 hours, sign-ins left out (openai_audit__events)": """
        SELECT occurred_at, sentence FROM openai_audit__events
        WHERE
            occurred_at > now() AT TIME ZONE 'utc' - interval '24 hours'
            AND event_type !~ '^(login|logout)[.]'
        ORDER BY occurred_at DESC, event_id LIMIT 32
    """,
    "Who holds owner, and how they got it (openai_audit__access)": """
        SELECT coalesce(principal_name, principal_email, principal_id) AS owner, since,
            granted_by, granted_at
        FROM openai_audit__access
        WHERE access_kind = 'member' AND role = 'owner'
        ORDER BY since DESC NULLS LAST, owner LIMIT 8
    """,
    "Is anything missing? Days by verdict (openai_audit__coverage)": """
        SELECT source, count(day) AS days,
            count(*) FILTER (WHERE verdict = 'proven') AS proven,
            count(*) FILTER (WHERE verdict = 'partial') AS partial,
            count(*) FILTER (WHERE verdict NOT IN ('proven', 'partial')) AS others,
            coalesce(sum(events_in_table), 0)::bigint AS events_in_table,
            coalesce(sum(events_in_digest), 0)::bigint AS events_in_digest
        FROM openai_audit__coverage WHERE verdict NOT IN ('empty', 'by_file')
        GROUP BY source ORDER BY source
    """,
}


_FINDINGS: LiteralString = """
    SELECT severity, title, sentence, remediation FROM openai_audit__findings
    WHERE suppressed_reason IS NULL AND severity IN ('critical', 'high', 'medium')
    ORDER BY array_position(ARRAY['critical', 'high'], severity) NULLS LAST,
        last_event_at DESC, finding_id
"""


class Stage(NamedTuple):
    """What takes part: the API, if it is a sandbox, the database, and Meltano."""

    sandbox: SandboxProcess | None
    database: Database
    schema: str
    answers: str | None
    """The schema of dbt's models. None where dbt is not given what it connects with."""
    meltano: Meltano


def main() -> int:
    """Run the demo and return its exit code."""
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            complete = _play(_set(stack, os.environ.copy()))
    except (MeltanoError, SandboxError, psycopg.Error) as problem:
        _say(f"\nThe demo failed: {problem}")
        return 1
    except KeyboardInterrupt:
        _say("\nThe demo was ended; what it had started is stopped.")
        return 130
    _say(f"\n{time.monotonic() - began:.0f} s in all.")
    return 0 if complete else 1


def _set(stack: ExitStack, variables: dict[str, str]) -> Stage:
    """Start what is not given by settings."""
    names = [f"{_TAP}ADMIN_KEY", f"{_TAP}ORGANIZATION_ID"]
    given = [name for name in names if variables.get(name)]
    if len(given) == 1:
        raise SandboxError(
            f"of {' and '.join(names)} only {given[0]} is set: set both to read the"
            " real API, or neither for the sandbox"
        )
    sandbox = None
    if given:
        _say("API        the real one")
    else:
        sandbox = stack.enter_context(
            SandboxProcess(
                clock="machine",
                seed=int(time.time()),
                history="story",
                start="30d",
                end="now",
                incident="2h",
            )
        )
        sandbox.control.add_events()
        # All that can be named is named; a key of one's own may not list everything.
        selected = {
            f"{_TAP}API_URL": sandbox.url,
            f"{_TAP}_SELECT": '["*.*"]',
        }
        _replace(variables, _TAP, selected)
        _say(
            f"API        a sandbox at {sandbox.url}: a month of an invented company,"
            f" with an incident in its last hours, {len(sandbox.control.events()):,}"
            " events"
        )
    database = configured(variables)
    if database is None:
        database = stack.enter_context(EmbeddedPostgres()).database
        _say("Database   an embedded PostgreSQL, gone when this ends")
    else:
        _say("Database   the one that TARGET_POSTGRES_* name")
    _replace(variables, _TARGET, database.environment)
    variables.setdefault("REPORT_DIRECTORY", str(_REPORTS))
    environment = "dev" if given else "sandbox"
    schema = variables.get(
        f"{_TARGET}DEFAULT_TARGET_SCHEMA", f"tap_openai_audit_{environment}"
    )
    _say(f"Tables     in the schema {schema}")
    directory = Path(stack.enter_context(TemporaryDirectory(prefix="demo-")))
    answers = f"{schema}_answers" if f"{_TARGET}HOST" in variables else None
    variables.update(
        DBT_SOURCE_SCHEMA=schema,
        DBT_SCHEMA=answers or "",
        DBT_TARGET_PATH=str(directory / "dbt"),
        DBT_LOG_PATH=str(directory / "dbt"),
    )
    meltano = Meltano(environment, variables, directory, lambda line: _say(f"  {line}"))
    return Stage(sandbox, database, schema, answers, meltano)


def _replace(variables: dict[str, str], prefix: str, new: Mapping[str, str]) -> None:
    """Leave no other setting of a plugin than the new ones."""
    for name in [name for name in variables if name.startswith(prefix)]:
        del variables[name]
    variables.update(new)


def _play(stage: Stage) -> bool:
    """Run twice, show what landed, and return whether it was everything."""
    _run(stage)
    with stage.database.connect(stage.schema) as connection:
        connection.execute(_EVENTS)
        connection.execute(_KNOWN)
        if stage.sandbox is not None:
            now = time.time()
            stage.sandbox.control.add_events(12, at=now)
            stage.sandbox.control.add_events(3, at=now - _LATE_SECONDS)
            stage.sandbox.control.add_events(2, scope="tenant", at=now)
            _say("\nMeanwhile 17 events were added, three of them half an hour late.")
        _run(stage, *([] if stage.answers is None else ["dbt:build"]))
        for title, query in _SHOWN.items():
            _show(connection, title, query)
        complete = stage.sandbox is None or _proven(connection, stage.sandbox)
    if stage.answers is None:
        _say("\nNo answers: dbt takes TARGET_POSTGRES_HOST and so on, no URL.")
        return complete
    with stage.database.connect(stage.answers) as connection:
        _say("\nWhat is alarming, low severities left out (openai_audit__findings)")
        for severity, *texts in connection.execute(_FINDINGS):
            title, sentence, remediation = (_cell(text, _WIDEST_TEXT) for text in texts)
            _say(f"\n{severity:9} {title}: {sentence}\n{'':9} -> {remediation}")
        for title, query in _ANSWERS.items():
            _show(connection, title, query)
    stage.meltano.call("invoke", "report:build")
    place = Path(stage.meltano.settings["REPORT_DIRECTORY"]) / "report.html"
    _say(f"\nAll of that, to look at in a browser:\n{place}")
    return complete


def _run(stage: Stage, *more: str) -> None:
    began = time.monotonic()
    blocks = ["run", "tap-openai-audit", "target-postgres", *more]
    _say(f"\n$ meltano --environment={stage.meltano.environment} {' '.join(blocks)}")
    stage.meltano.call(*blocks)
    _say(f"  done in {time.monotonic() - began:.1f} s")


def _show(connection: psycopg.Connection, title: str, query: LiteralString) -> None:
    cursor = connection.execute(query)
    names = [column.name for column in cursor.description or ()]
    _say(f"\n{title}\n\n{_table(names, cursor.fetchall())}")


def _proven(connection: psycopg.Connection, sandbox: SandboxProcess) -> bool:
    """Compare what landed with what there is, event by event."""
    there = {event.id for event in sandbox.control.events()}
    landed = [row[0] for row in connection.execute("SELECT id FROM audit_logs")]
    missing = len(there.difference(landed))
    _say(
        f"\nThe sandbox has {len(there):,} events. In PostgreSQL {missing:,} of them"
        f" are missing and {len(landed) - len(set(landed)):,} are there twice."
    )
    return not missing


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table with a line for the names and one for each row."""
    # A sentence beside its time has room, several columns have less.
    widest = _WIDEST_COLUMN if len(names) > _FEW_COLUMNS else _WIDEST_SENTENCE
    texts = [[_cell(value, widest) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    right = [
        any(isinstance(value, int) for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(names)
    lines = [list(names), ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object, widest: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return value.isoformat(" ", "seconds")
    # Events hold what anybody may have written, such as a terminal's control sequences.
    text = "".join(letter if letter.isprintable() else "�" for letter in str(value))
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
