"""The real command, run against a sandbox, and what came out of it."""

from __future__ import annotations

import json
import os
import signal
import string
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from tap_openai_audit.tap import TapOpenAIAudit
from testing import forks
from testing.forks import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sandbox.process import SandboxProcess

COMMAND = (sys.executable, "-m", "tap_openai_audit")
PREFIX = "TAP_"
WORKSPACE_COMMAND = (sys.executable, "-m", "tap_openai_audit.workspace")
DEADLINE = 120  # seconds; bounds a hang, and nothing else
# A process of its own in between, because what a process took includes what the one
# took that it was started from: here a small one, and not that of the tests.
MEASURED = f"""
import os, resource, sys
code = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
unit = 1 if sys.platform == "darwin" else 1024
taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
os.write(2, {MEMORY!r}.encode() + str(taken).encode())
sys.exit(code)
"""


@dataclass(frozen=True)
class Outcome:
    """What a run of the command wrote, how it ended, and what it took.

    Attributes:
        code: The exit code; -9 after DEADLINE.
        memory: Most bytes that it held, 0 where nobody measured.
    """

    code: int
    out: str
    log: str
    memory: int = 0

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that are whole lines: a killed run may end within one."""
        return [
            json.loads(line)
            for line in self.out.splitlines(keepends=True)
            if line[-1:] == "\n"
        ]

    @property
    def messages_as_one(self) -> Any:
        """The output as one JSON document, as `--discover` writes it."""
        return json.loads(self.out)

    def records(self, stream: str = "audit_logs") -> list[dict[str, Any]]:
        return [
            m["record"]
            for m in self.messages
            if m.get("stream") == stream and m["type"] == "RECORD"
        ]

    @property
    def ids(self) -> list[str]:
        return [record["id"] for record in self.records()]

    @property
    def state(self) -> dict[str, Any] | None:
        """The last state, None without any."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else None

    @property
    def unconfirmed(self) -> set[str]:
        """Ids that no state followed."""
        ids: set[str] = set()
        for message in self.messages:
            if message["type"] == "STATE":
                ids = set()
            elif message.get("stream") == "audit_logs" and message["type"] == "RECORD":
                ids.add(message["record"]["id"])
        return ids

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if "| ERROR" in line]

    @property
    def warnings(self) -> list[str]:
        """Warnings of the tap: the SDK's own tell when a Python is out of support."""
        lines = self.log.splitlines()
        return [x for x in lines if "| WARNING" in x and "| py.warnings" not in x]

    @property
    def last_line(self) -> str:
        """The last line but those of DEBUG: a request under way may end behind it."""
        return [x for x in self.log.splitlines() if "| DEBUG" not in x][-1]


@dataclass
class Running:
    """A run under way."""

    process: subprocess.Popen[bytes]
    log_file: Path
    out: bytes = b""

    @property
    def stdout(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def read(self, lines: int) -> None:
        for _ in range(lines):
            self.out += self.stdout.readline()

    def ended(self) -> Outcome:
        self.out += self.stdout.read()
        code = self.process.wait(timeout=DEADLINE)
        return Outcome(code, self.out.decode(errors="replace"), self.log)


@dataclass
class TapCommand:
    """Runs the organization's command against one sandbox."""

    sandbox: SandboxProcess
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: ClassVar = COMMAND

    @property
    def account(self) -> dict[str, Any]:
        """The settings that say what is read, where and with which key."""
        return {
            "organization_id": self.sandbox.organization_id,
            "admin_key": self.sandbox.admin_key,
            "api_url": self.sandbox.url,
        }

    def arguments(
        self,
        *options: str,
        state: object = None,
        catalog: object = None,
        **settings: Any,
    ) -> list[str]:
        config = {**self.account, **self.settings, **settings}
        arguments = [*self.command, "--config", self._file("config", config), *options]
        if state is not None:
            arguments += ["--state", self._file("state", state)]
        if catalog is not None:
            arguments += ["--catalog", self._file("catalog", catalog)]
        return arguments

    def run(
        self, *options: str, env: Mapping[str, str] | None = None, **inputs: Any
    ) -> Outcome:
        arguments = self.arguments(*options, **inputs)
        if any(not name.startswith(PREFIX) for name in env or ()):
            return run(arguments, env=env)  # Python may read it when it starts
        out, log = self.folder / "out", self.folder / "log"
        _, _, package, *own = arguments
        code = forks.tap(package, own, environment(env), out, log, DEADLINE)
        said, memory = log_and_memory(log.read_bytes())
        written = out.read_bytes().decode(errors="replace")
        return Outcome(-9 if code is None else code, written, said, memory)

    @contextmanager
    def started(self, **inputs: Any) -> Iterator[Running]:
        """A run that the test follows. It never outlives the test."""
        log = self.folder / "log"
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                self.arguments(**inputs),
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(None),
            ) as process,
        ):
            try:
                yield Running(process, log)
            finally:
                process.kill()

    @property
    def truth(self) -> set[str]:
        """The ids of all events that are visible in the sandbox."""
        return {event.id for event in self.sandbox.control.events() if event.visible}

    def _file(self, name: str, content: object) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)


class WorkspaceCommand(TapCommand):
    """Runs the workspace's command against one sandbox."""

    command = WORKSPACE_COMMAND

    @property
    def account(self) -> dict[str, Any]:
        return {
            "workspace_id": self.sandbox.workspace_id,
            "key": self.sandbox.workspace_key,
            "api_url": self.sandbox.workspace_url,
        }


def run(arguments: Iterable[str], *, env: Mapping[str, str] | None = None) -> Outcome:
    """Run the command to its end, or to its DEADLINE."""
    with subprocess.Popen(
        [sys.executable, "-ISc", MEASURED, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        start_new_session=True,
    ) as process:
        try:
            out, log = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, log = process.communicate()
    return Outcome(
        process.returncode, out.decode(errors="replace"), *log_and_memory(log)
    )


def log_and_memory(written: bytes) -> tuple[str, int]:
    """What a run wrote to stderr, and the most bytes that it held, 0 if unknown."""
    log, _, rest = written.decode(errors="replace").partition(MEMORY)
    # Requests that were under way may write behind it.
    digits = rest[: len(rest) - len(rest.lstrip(string.digits))]
    return log, int(digits or 0)


def environment(changes: Mapping[str, str] | None) -> dict[str, str]:
    """The environment of the command: this one without settings of the tap."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    return {**kept, **(changes or {})}


def catalog_of(*selected: str) -> dict[str, Any]:
    """The tap's catalog, in which these streams are selected and no others."""
    catalog: dict[str, Any] = TapOpenAIAudit(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
    return catalog


def repeated(ids: Iterable[str]) -> set[str]:
    return {id_ for id_, times in Counter(ids).items() if times > 1}
