"""Who is measured: how each is installed and run, and where its events' ids are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SCRIPTS = Path(__file__).with_name("contestants")


class _Event(msgspec.Struct):
    id: str


class _Singer(msgspec.Struct):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw()


class _AirbyteRecord(msgspec.Struct):
    data: _Event


class _Airbyte(msgspec.Struct):
    type: str
    record: _AirbyteRecord | None = None


_events = msgspec.json.Decoder(_Event)
_singer = msgspec.json.Decoder(_Singer)
_airbyte = msgspec.json.Decoder(_Airbyte)


def _of_lines(output: Path, _folder: Path) -> Iterator[str]:
    return (_events.decode(line).id for line in _lines([output]))


def _of_singer(output: Path, _folder: Path) -> Iterator[str]:
    for line in _lines([output]):
        message = _singer.decode(line)
        if message.type == "RECORD" and message.stream == "audit_logs":
            yield _events.decode(message.record).id


def _of_airbyte(output: Path, _folder: Path) -> Iterator[str]:
    for line in _lines([output]):
        if (record := _airbyte.decode(line).record) is not None:
            yield record.data.id


def _of_dlt(_output: Path, folder: Path) -> Iterator[str]:
    files = folder.glob("*/normalize/extracted/*/new_jobs/audit_logs.*.typed-jsonl")
    return (event.id for line in _lines(files) for event in _dlt_events(line))


def _dlt_events(line: bytes) -> list[_Event]:
    """A line of dlt's holds one event, or an array with those of a page."""
    if line.startswith(b"["):
        return msgspec.json.decode(line, type=list[_Event])
    return [_events.decode(line)]


def _lines(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as opened:
            yield from opened


@dataclass(frozen=True)
class Contestant:
    """A tool that reads the whole log.

    Attributes:
        title: What the report calls it.
        packages: The distributions that are installed and whose versions are reported.
        arguments: Its command line, with {bin}, {scripts}, {settings} and {folder}.
        version: The command line that only starts it.
        from_checkout: Whether it is the tap, which is installed from the checkout.
        ids: Finds the ids of events in its output and its folder.
    """

    title: str
    packages: tuple[str, ...]
    arguments: tuple[str, ...]
    version: tuple[str, ...]
    ids: Callable[[Path, Path], Iterator[str]]
    from_checkout: bool = False

    @property
    def requirements(self) -> tuple[str, ...]:
        """What is to be installed from the package index."""
        return () if self.from_checkout else self.packages

    def command(self, programs: Path, folder: Path) -> list[str]:
        """The command line of a run in a folder that has a `settings.json`."""
        return self._filled(self.arguments, programs, folder)

    def start(self, programs: Path) -> list[str]:
        """The command line that only starts it."""
        return self._filled(self.version, programs, Path())

    @staticmethod
    def _filled(arguments: tuple[str, ...], programs: Path, folder: Path) -> list[str]:
        places = {
            "bin": programs,
            "scripts": _SCRIPTS,
            "folder": folder,
            "settings": folder / "settings.json",
        }
        return [argument.format_map(places) for argument in arguments]


def _script(name: str, *more: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    program = ("{bin}/python", f"{{scripts}}/{name}")
    return (*program, "{settings}", *more), (*program, "--version")


TAP, BARE, AIRBYTE = "tap", "bare", "airbyte"

CONTESTANTS = {
    TAP: Contestant(
        "this tap",
        ("tap-openai-audit", "singer-sdk"),
        ("{bin}/tap-openai-audit", "--config", "{settings}"),
        ("{bin}/tap-openai-audit", "--version"),
        _of_singer,
        from_checkout=True,
    ),
    BARE: Contestant(
        "bare loop (requests + msgspec)",
        ("requests", "msgspec"),
        *_script("bare_loop.py"),
        _of_lines,
    ),
    "openai": Contestant(
        "official client's pager",
        ("openai",),
        *_script("openai_pager.py"),
        _of_lines,
    ),
    "dlt": Contestant(
        "dlt REST source, extract only",
        ("dlt",),
        *_script("dlt_rest.py", "{folder}"),
        _of_dlt,
    ),
    AIRBYTE: Contestant(
        "Airbyte low-code source, 8 at once",
        ("airbyte-cdk",),
        (
            "{bin}/source-declarative-manifest",
            "read",
            "--config={settings}",
            "--catalog={scripts}/airbyte_catalog.json",
            "--manifest-path={scripts}/airbyte_manifest.yaml",
        ),
        ("{bin}/source-declarative-manifest", "spec"),
        _of_airbyte,
    ),
}
