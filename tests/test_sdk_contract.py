"""What this tap takes from the SDK beyond its public interface, and what the SDK tests.

A new version of the SDK that changes one of these seams fails here, and not in
production. So does one that no longer does what a workaround is for, which may go then:
`docs/sdk.md` has a section on each.
"""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers._flattening import flatten_schema
from singer_sdk.helpers._state import StateWriter
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.plugin_base import PluginBase, _ConfigInput
from singer_sdk.singerlib import Catalog, StateMessage
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner
from typing_extensions import override

from sandbox.process import SandboxProcess
from tap_openai_audit import startup
from tap_openai_audit.audit_logs.stream import AuditLogs
from tap_openai_audit.singer.columns import anything, group, schema_of
from tap_openai_audit.tap import TapOpenAIAudit
from tap_openai_audit.workspace.tap import TapChatGPTWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib.encoding.simple import Message

    from tap_openai_audit.singer.base_tap import BaseTap


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def called_in(function: Callable[..., object], text: str) -> bool:
    return text in inspect.getsource(function)


class PlainStream(Stream):
    """A stream that does nothing but what the SDK does."""

    schema: ClassVar[dict[str, Any]] = {"properties": {"id": {"type": "string"}}}
    selected_by_default = False

    @override
    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        if self.config.get("broken") == self.name:
            raise RuntimeError(self.name)
        yield {"id": self.name}


class PlainTap(Tap):
    """A tap that does nothing but what the SDK does."""

    name = "tap-plain"

    config_jsonschema: ClassVar[dict[str, Any]] = {
        "properties": {
            "broken": {"type": ["string", "null"], "default": "none"},
            "key": {"type": "string", "pattern": "^key-", "secret": True},
        }
    }

    @override
    def discover_streams(self) -> list[Stream]:
        return [PlainStream(self, name=name) for name in ("b", "a", "c")]

    @override
    def _setup_signal_handlers(self) -> None:
        """Leave those of pytest."""


def test_messages_of_records_are_made_where_a_failing_map_is_caught() -> None:
    assert parameters(Stream._generate_record_messages) == ["self", "record"]
    assert called_in(Stream._write_record_message, "self._generate_record_messages(")
    assert called_in(Stream._sync_records, "self._write_record_message(record)")


def test_handlers_of_signals_are_set_in_one_place() -> None:
    assert called_in(PluginBase.__init__, "self._setup_signal_handlers()")


def test_streams_are_synced_through_sync_records() -> None:
    assert parameters(Stream._sync_records) == ["self", "context", "write_messages"]
    assert parameters(AuditLogs._sync_records) == parameters(Stream._sync_records)
    assert called_in(Stream.sync, "self._sync_records(context=context)")
    assert called_in(Stream.sync, "self.get_replication_key_signpost(context)")


def test_the_messages_of_a_record_are_made_by_generate_record_messages() -> None:
    assert parameters(Stream._generate_record_messages) == ["self", "record"]
    assert called_in(Stream._write_record_message, "self._generate_record_messages")
    stream = PlainTap().streams["a"]
    stream.selected = True
    (message,) = stream._generate_record_messages({"id": "x"})
    assert (message.stream, message.record) == ("a", {"id": "x"})


def test_sync_all_is_final_and_the_first_stream_that_raises_ends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parameters(Tap.sync_all) == ["self"]
    assert called_in(Tap.sync_all, "@t.final")
    tap = PlainTap(config={"broken": "b"})
    for stream in tap.streams.values():
        stream.selected = True
    with pytest.raises(RuntimeError, match="b"):
        tap.sync_all()
    lines = capsys.readouterr().out.splitlines()
    records = [m for m in map(json.loads, lines) if m["type"] == "RECORD"]
    assert [message["stream"] for message in records] == ["a"]


def test_streams_are_ordered_by_name() -> None:
    assert isinstance(vars(Tap)["streams"], property)
    assert list(PlainTap().streams) == ["a", "b", "c"]
    assert called_in(Tap.sync_all, "for stream in self.streams.values():")


@pytest.mark.usefixtures("capsys")
def test_the_sdks_test_selects_every_stream_and_ends_well_whatever_it_returns() -> None:
    assert parameters(Tap.cb_test) == ["ctx", "param", "value"]
    assert parameters(TapOpenAIAudit.cb_test) == parameters(Tap.cb_test)
    assert called_in(Tap.cb_test, "tap.run_connection_test()\n\n        ctx.exit()")
    tap = PlainTap()
    assert not any(stream.selected for stream in tap.streams.values())
    assert tap.run_connection_test()
    assert all(stream.selected for stream in tap.streams.values())


@pytest.mark.usefixtures("capsys")
def test_a_dry_run_takes_streams_and_limits_their_records() -> None:
    assert parameters(Tap.run_sync_dry_run) == [
        "self",
        "dry_run_record_limit",
        "streams",
    ]
    tap = PlainTap()
    tap.run_sync_dry_run(1, [tap.streams["a"]])
    limits = {stream.ABORT_AT_RECORD_COUNT for stream in tap.streams.values()}
    assert limits == {1, None}


def test_a_catalog_replaces_the_replication_method_but_not_that_of_the_audit_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def forced(tap: Tap, name: str) -> str | None:
        entries = tap.catalog_dict
        for entry in entries["streams"]:
            entry["replication_method"] = "FULL_TABLE"
        stream = tap.streams[name]
        stream.apply_catalog(Catalog.from_dict(entries))
        return stream.forced_replication_method

    assert forced(PlainTap(), "a") == "FULL_TABLE"
    assert forced(TapOpenAIAudit(validate_config=False), "audit_logs") == "INCREMENTAL"
    assert "always read incrementally" in caplog.text


def test_the_configuration_is_checked_by_validate_config() -> None:
    assert parameters(Tap._validate_config) == ["self", "raise_errors"]
    assert called_in(
        PluginBase.__init__, "self._validate_config(raise_errors=validate_config)"
    )
    assert PlainTap(config={"key": "key-1"})._config["key"] == "key-1"


def test_the_sdks_own_messages_repeat_a_secret() -> None:
    with pytest.raises(ConfigValidationError) as caught:
        PlainTap(config={"key": "secret"})
    assert "secret" in caught.value.errors[0]


def test_null_is_a_value_to_the_sdk() -> None:
    assert PlainTap().config["broken"] == "none"
    assert PlainTap(config={"broken": None}).config["broken"] is None


def test_the_sdk_adds_its_settings_to_the_schema_it_is_given() -> None:
    schema: dict[str, Any] = {"properties": {}}
    Tap.append_builtin_config(schema)
    assert "stream_maps" in schema["properties"]


def test_the_sdk_changes_the_environment_by_a_file() -> None:
    assert called_in(parse_environment_config, "dotenv_path = find_dotenv()")
    assert called_in(
        parse_environment_config, "DotEnv(dotenv_path).set_as_environment_variables()"
    )
    assert [field.name for field in fields(_ConfigInput)] == ["config", "parse_env"]


def test_a_stream_map_that_is_none_is_no_error_of_the_configuration() -> None:
    assert called_in(Tap.__init__, "self.setup_mapper()")
    assert not issubclass(MappingError, ConfigValidationError)
    with pytest.raises(MappingError):
        PlainTap(config={"stream_maps": {"a": {"new": "("}}})


def test_the_sdk_adds_settings_of_capabilities_that_a_tap_lacks() -> None:
    text = "PluginBase.append_builtin_config(config_jsonschema)"
    assert called_in(Tap.append_builtin_config, text)


def test_flattening_drops_an_object_with_empty_properties_only() -> None:
    schema = schema_of(group("empty", "A."), anything("kept", "B."))
    assert list(flatten_schema(schema, 1)["properties"]) == ["kept"]


def test_the_state_is_written_by_the_state_writer_when_it_has_changed() -> None:
    assert parameters(StateWriter.write_state) == ["self", "state"]
    assert isinstance(vars(Tap)["state_writer"], property)
    written: list[Message] = []

    class Kept(MsgSpecWriter):
        @override
        def write_message(self, message: Message) -> None:
            written.append(message)

    writer, state = StateWriter(Kept()), cast("Any", {"bookmarks": {"a": 1}})
    for value in (1, 1, 2):
        state["bookmarks"]["a"] = value
        writer.write_state(state)
    assert len(written) == 2


def test_a_signal_ends_the_sdks_run_with_exit_code_0() -> None:
    assert called_in(PluginBase.__init__, "self._setup_signal_handlers()")
    with pytest.raises(SystemExit) as ended:
        PluginBase._handle_termination(PlainTap(), signal.SIGTERM, None)
    assert ended.value.code == 0


def test_records_pass_unchanged_where_no_feature_is_in_use() -> None:
    assert called_in(SameRecordTransform.transform, "super().transform(record)")
    assert isinstance(Stream.mask, property)


def test_children_are_synced_for_each_context_that_a_record_makes() -> None:
    assert parameters(Stream.generate_child_contexts) == ["self", "record", "context"]
    assert called_in(Stream._process_record, "in self.generate_child_contexts(")
    assert parameters(Stream._sync_children) == ["self", "child_context"]
    assert called_in(Stream._sync_children, "child_stream.sync(context=child_context)")


def test_sync_is_final_and_begins_with_a_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parameters(Stream.sync) == ["self", "context"]
    assert called_in(Stream.sync, "@t.final")
    assert called_in(Tap.sync_all, "stream.sync()")

    class Nothing(PlainStream):
        @override
        def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
            yield from ()

    stream = Nothing(PlainTap(), name="a")
    stream.selected = True
    stream.sync()
    assert '"type":"SCHEMA"' in capsys.readouterr().out.replace(": ", ":")


def test_what_a_stream_keeps_besides_a_position_is_passed_on() -> None:
    kept = {"bookmarks": {"a": {"at": "yesterday"}}}
    tap = PlainTap(state=kept)
    stream = tap.streams["a"]
    stream.selected = True
    tap.sync_all()
    assert tap.state["bookmarks"]["a"] == {"at": "yesterday"}


def test_the_writer_writes_whole_messages() -> None:
    assert parameters(MsgSpecWriter.write_message) == ["self", "message"]
    assert parameters(MsgSpecWriter.format_message) == ["self", "message"]


def test_the_writer_formats_all_messages_in_one_buffer() -> None:
    writer = MsgSpecWriter()
    first = writer.format_message(StateMessage({"a": 1}))
    assert writer.format_message(StateMessage({"a": 2})) is first


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
    options = {"events": 300, "tenant_events": 30, "start": "9d", "end": "now"}
    with SandboxProcess(workspace_events=100, **options) as process:
        yield process


PLACEHOLDER = {"organization_id": "org-sandbox", "admin_key": "sk-admin-placeholder"}
PLACEHOLDER_OF_WORKSPACE = {
    "workspace_id": "01234567-89ab-cdef-0123-456789abcdef",
    "key": "placeholder",
}


def everything_selected(tap: type[BaseTap]) -> dict[str, Any]:
    catalog: dict[str, Any] = tap(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return catalog


def options(tap: type[BaseTap]) -> dict[str, Any]:
    return {
        "suite_config": SuiteConfig(ignore_no_records=True),
        "parse_env_config": False,
        "catalog": everything_selected(tap),
    }


class TestTheSdksOwnTests(
    get_tap_test_class(  # type: ignore[misc] # made at run time
        TapOpenAIAudit, config=PLACEHOLDER, **options(TapOpenAIAudit)
    )
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
        tap = TapOpenAIAudit
        runner = TapTestRunner(tap, config=config, **options(tap))
        runner.sync_all()
        return runner


class TestTheSdksOwnTestsOfTheWorkspace(
    get_tap_test_class(  # type: ignore[misc] # made at run time
        TapChatGPTWorkspace,
        config=PLACEHOLDER_OF_WORKSPACE,
        **options(TapChatGPTWorkspace),
    )
):
    """The same tests for the workspace's tap."""

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, sandbox: SandboxProcess) -> TapTestRunner:
        config = {
            "workspace_id": sandbox.workspace_id,
            "key": sandbox.workspace_key,
            "api_url": sandbox.workspace_url,
        }
        tap = TapChatGPTWorkspace
        runner = TapTestRunner(tap, config=config, **options(tap))
        runner.sync_all()
        return runner
