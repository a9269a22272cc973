"""Who knows whom: arrows point inwards, and nothing is imported in a circle.

What counts is each import that is written, also for types alone or within a function:
all of them are what a reader has to know.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TAP = "tap_openai_audit"
HTTP = {"requests", "urllib3"}
SINGER = {"singer_sdk", f"{TAP}.singer"}
FEATURES = {f"{TAP}.{room}" for room in ("audit_logs", "inventory", "workspace")}
EDGE = {*HTTP, f"{TAP}.http", *SINGER, *FEATURES, f"{TAP}.check"}

PURE = (
    "audit_logs.cells",
    "audit_logs.days",
    "audit_logs.emitted_ids",
    "audit_logs.events",
    "audit_logs.incremental",
    "audit_logs.known",
    "audit_logs.observation",
    "audit_logs.paging",
    "audit_logs.planning",
    "audit_logs.position",
    "audit_logs.range_read",
    "audit_logs.reader",
    "audit_logs.recent_ids",
    "audit_logs.scan",
    "workspace.hashes",
    "workspace.in_order",
    "workspace.log_files",
    "workspace.position",
)
"""Logic that knows neither HTTP nor Singer."""

MAY_NOT_KNOW = {
    "errors": EDGE - {f"{TAP}.http"},
    "redaction": EDGE,
    "timestamps": EDGE,
    "windows": EDGE,
    **{module: {*HTTP, f"{TAP}.http", *SINGER} for module in PURE},
    "http": {*SINGER, *FEATURES, f"{TAP}.check"},
    "audit_logs": {*HTTP, f"{TAP}.check", f"{TAP}.workspace", f"{TAP}.inventory"},
    "inventory": {*HTTP, f"{TAP}.check", f"{TAP}.workspace"},
    "workspace": {
        *HTTP,
        f"{TAP}.check",
        f"{TAP}.audit_logs",
        f"{TAP}.inventory",
        f"{TAP}.settings",
    },
    "check": HTTP,
}


def imports(source: str, package: str) -> set[str]:
    """What a source text imports, each name with the module that it is from."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            found |= {f"{module}.{name.name}" for name in node.names}
    return found


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


IMPORTS = {
    module_of(path).removesuffix(".__init__"): imports(
        path.read_text("utf-8"), module_of(path.parent)
    )
    for path in (ROOT / TAP).rglob("*.py")
}


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def test_every_import_counts_wherever_it_is_written() -> None:
    source = """
import a.b as c
if TYPE_CHECKING:
    from d.e import F
def f():
    from . import g
    from ..h import i
"""
    assert imports(source, "x.y") == {"a.b", "d.e.F", "x.y.g", "x.h.i"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    # Where a name is no module itself, it is from the module that is named before it.
    modules = {
        module: {name if name in IMPORTS else name.rpartition(".")[0] for name in found}
        for module, found in IMPORTS.items()
    }
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("room", [TAP, f"{TAP}.workspace"])
def test_only_its_entry_point_imports_a_tap(room: str) -> None:
    found = {
        module
        for module, names in IMPORTS.items()
        if any(within(name, f"{room}.tap") for name in names)
    }
    assert found == {f"{room}.__main__"}


@pytest.mark.parametrize("room", MAY_NOT_KNOW)
def test_a_room_knows_nothing_of_what_lies_further_out(room: str) -> None:
    # A tap puts everything together.
    members = [
        module
        for module in IMPORTS
        if within(module, f"{TAP}.{room}") and not module.endswith(".tap")
    ]
    assert members
    assert not {
        f"{module} imports {name}"
        for module in members
        for name in IMPORTS[module]
        if any(within(name, further) for further in MAY_NOT_KNOW[room])
    }


def test_a_check_knows_of_the_sdk_only_how_settings_are_refused() -> None:
    found = {
        (module, name)
        for module, names in IMPORTS.items()
        for name in names
        if within(module, f"{TAP}.check") and within(name, "singer_sdk")
    }
    error = "singer_sdk.exceptions.ConfigValidationError"
    assert found == {(f"{TAP}.check.run", error)}
