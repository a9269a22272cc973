"""What this tap takes from the SDK beyond its public interface, and what the SDK tests.

A new version of the SDK that changes one of these seams fails here, and not in
production.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._state import StateWriter
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

from sandbox.process import SandboxProcess
from tap_openai_audit import startup
from tap_openai_audit.streams.audit_logs import AuditLogs
from tap_openai_audit.tap import TapOpenAIAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def called_in(function: Callable[..., object], text: str) -> bool:
    return text in inspect.getsource(function)


def test_streams_are_synced_through_sync_records() -> None:
    assert parameters(Stream._sync_records) == ["self", "context", "write_messages"]
    assert parameters(AuditLogs._sync_records) == parameters(Stream._sync_records)
    assert called_in(Stream.sync, "self._sync_records(context=context)")


def test_one_record_is_written_by_write_record_message() -> None:
    assert parameters(Stream._write_record_message) == ["self", "record"]
    assert called_in(Stream._write_record_message, "self._generate_record_messages")


def test_the_configuration_is_checked_by_validate_config() -> None:
    assert parameters(Tap._validate_config) == ["self", "raise_errors"]
    assert called_in(
        next(c for c in Tap.__mro__ if c.__name__ == "PluginBase").__init__,
        "self._validate_config(raise_errors=validate_config)",
    )


def test_the_state_is_written_by_the_state_writer_when_it_has_changed() -> None:
    assert parameters(StateWriter.write_state) == ["self", "state"]
    assert isinstance(Tap.state_writer, property)


def test_records_pass_unchanged_where_no_feature_is_in_use() -> None:
    assert called_in(SameRecordTransform.transform, "super().transform(record)")
    assert isinstance(Stream.mask, property)


def test_the_writer_writes_whole_messages() -> None:
    assert parameters(MsgSpecWriter.write_message) == ["self", "message"]
    assert parameters(MsgSpecWriter.format_message) == ["self", "message"]


def test_the_command_line_calls_invoke_with_what_it_read() -> None:
    options = {"about", "about_format", "config", "state", "catalog"}
    assert set(parameters(Tap.invoke)) == options
    assert options <= set(parameters(TapOpenAIAudit.invoke))


@pytest.mark.parametrize(("module", "names"), startup.DEFERRED.items())
def test_what_is_deferred_is_what_the_sdk_imports(
    module: str, names: tuple[str, ...]
) -> None:
    script = (
        "import sys; from tap_openai_audit import startup; startup.defer();"
        f"import tap_openai_audit.tap; module = sys.modules[{module!r}];"
        "print(sorted(name for name in vars(module) if not name.startswith('__')))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == str(sorted(names))


def test_what_is_deferred_is_imported_when_it_is_used() -> None:
    script = (
        "from tap_openai_audit import startup; startup.defer();"
        "from joblib import delayed; print(delayed(len)('ab'))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert "len" in out


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=300, tenant_events=30, start="9d", end="now") as process:
        yield process


PLACEHOLDER = {"organization_id": "org-sandbox", "admin_key": "sk-admin-placeholder"}


def everything_selected() -> dict[str, Any]:
    catalog: dict[str, Any] = TapOpenAIAudit(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return catalog


OPTIONS: dict[str, Any] = {
    "suite_config": SuiteConfig(ignore_no_records=True),
    "parse_env_config": False,
    "catalog": everything_selected(),
}


class TestTheSdksOwnTests(
    get_tap_test_class(TapOpenAIAudit, config=PLACEHOLDER, **OPTIONS)  # type: ignore[misc]
):
    """The tests that the SDK has for every tap, on the sandbox."""

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, sandbox: SandboxProcess) -> TapTestRunner:
        config = {
            "organization_id": sandbox.organization_id,
            "admin_key": sandbox.admin_key,
            "api_url": sandbox.url,
        }
        runner = TapTestRunner(TapOpenAIAudit, config=config, **OPTIONS)
        runner.sync_all()
        return runner
