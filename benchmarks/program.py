"""What is measured: how it is started, and where the ids of its events are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SCRIPTS = Path(__file__).parent

TAP, BARE, BEFORE = "tap", "bare", "before"


class Event(msgspec.Struct):
    """The one field of an event that a benchmark reads."""

    id: str


class _Singer(msgspec.Struct):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw()


decode_event = msgspec.json.Decoder(Event).decode
_decode_singer = msgspec.json.Decoder(_Singer).decode


@dataclass(frozen=True)
class Program:
    """A program that reads the whole log.

    Attributes:
        title: What the report calls it.
        packages: The distributions whose versions are reported.
        arguments: Its command line, with {bin}, {scripts}, {settings} and {folder}.
        version: The command line that starts it and does nothing.
        ids: Returns the ids of events, of its output file and its folder.
        scripts: The folder that {scripts} stands for.
        needs_start_date: Whether it cannot read without a start date.
        environment: Variables that it is given.
    """

    title: str
    packages: tuple[str, ...]
    arguments: tuple[str, ...]
    version: tuple[str, ...]
    ids: Callable[[Path, Path], Iterator[str]]
    scripts: Path = SCRIPTS
    needs_start_date: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Installed:
    """A program, and the folder of its environment's executables."""

    program: Program
    bin: Path

    def command(self, folder: Path) -> list[str]:
        """Return the command line of a run in a folder that has a `settings.json`."""
        return self._filled(self.program.arguments, folder)

    def start(self) -> list[str]:
        """Return the command line that starts it and does nothing."""
        return self._filled(self.program.version, Path())

    def _filled(self, arguments: tuple[str, ...], folder: Path) -> list[str]:
        places = {
            "bin": self.bin,
            "scripts": self.program.scripts,
            "folder": folder,
            "settings": folder / "settings.json",
        }
        return [argument.format_map(places) for argument in arguments]


def lines(files: Iterable[Path]) -> Iterator[bytes]:
    """Return the lines of files, one file after the other."""
    for file in files:
        with file.open("rb") as opened:
            yield from opened


def ids_of_lines(output: Path, _folder: Path) -> Iterator[str]:
    """Return the ids in an output that has an event a line."""
    return (decode_event(line).id for line in lines([output]))


def ids_of_singer(output: Path, _folder: Path) -> Iterator[str]:
    """Return the ids in an output of Singer messages."""
    for line in lines([output]):
        message = _decode_singer(line)
        if message.type == "RECORD" and message.stream == "audit_logs":
            yield decode_event(message.record).id


def last_state(output: Path) -> bytes:
    """Return the value of the last STATE message in the tap's output."""
    last = b""
    for line in lines([output]):
        if line.startswith(b'{"type":"STATE"'):
            last = line
    return json.dumps(json.loads(last)["value"], separators=(",", ":")).encode()


def script(name: str, *more: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command lines of a script: of a run, and of its start alone."""
    program = ("{bin}/python", f"{{scripts}}/{name}")
    return (*program, "{settings}", *more), (*program, "--version")


def tap(title: str) -> Program:
    """Return the tap, of this checkout or of another commit."""
    return Program(
        title,
        ("tap-openai-audit", "singer-sdk"),
        ("{bin}/tap-openai-audit", "--config", "{settings}"),
        ("{bin}/tap-openai-audit", "--version"),
        ids_of_singer,
    )


def bare_loop() -> Program:
    """Return the loop that everything is compared with."""
    return Program(
        "bare loop (requests + msgspec)",
        ("requests", "msgspec"),
        *script("bare_loop.py"),
        ids_of_lines,
    )
