"""Invalid settings are refused in one line, without secrets."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from openai_audit_analyze.alerts.delivery import _service
from openai_audit_analyze.alerts.settings import settings
from openai_audit_analyze.report.settings import settings as report_settings
from openai_audit_analyze.settings import BadSettings
from openai_audit_analyze.warehouse import Postgres
from tests.alerts.receiver import SECRET

URL = f"json://example.com/{SECRET}"


@pytest.mark.parametrize(
    ("receivers", "says"),
    [
        (URL, "is not a JSON object of receivers by name"),
        ([URL], "is not a JSON object of receivers by name"),
        ({URL: {"url": URL}}, "has an invalid name"),
        ({"a": URL}, "gives no url for a"),
        ({"a": {"url": URL, URL: "high"}}, "than url and minimum_severity: remove"),
        (f'{{"a": {{"url": "{URL}"}}, "a": {{"url": "{URL}"}}}}', "has a name twice"),
        (f'{{"a": {{"url": "{URL}", "url": "{URL}"}}}}', "has a name twice"),
        pytest.param(
            "[" * 100_000, "is not a JSON object of receivers by name", id="nested"
        ),
        ({"a": {"url": URL, "minimum_severity": URL}}, "that is none of critical,"),
    ],
)
def test_an_invalid_receiver_is_named_without_its_url(
    receivers: object, says: str
) -> None:
    text = receivers if isinstance(receivers, str) else json.dumps(receivers)
    with pytest.raises(BadSettings, match=says) as refused:
        settings({"ALERTS_RECEIVERS": text})
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_duckdb_whose_files_the_loader_cannot_open_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("duckdb.__version__", "2.0.1")
    given, says = {"DBT_TARGET": "duckdb"}, r"this is DuckDB 2\.0\.1, and target-"
    with pytest.raises(BadSettings, match=says):
        settings(given)
    with pytest.raises(BadSettings, match=says):
        report_settings(given, datetime(2026, 11, 28))  # noqa: DTZ001 - UTC


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERTS_DIGEST_ABOVE", "0"),
        ("ALERTS_DIGEST_ABOVE", "1" * 5000),
        ("ALERTS_TIMEOUT_SECONDS", "601"),
        ("ALERTS_TIMEOUT_SECONDS", "soon"),
        ("ALERTS_HEARTBEAT_URL", f"ftp://{SECRET}"),
        ("ALERTS_HEARTBEAT_URL", f"https:{SECRET}"),
        ("ALERTS_HEARTBEAT_URL", f"https://[{SECRET}"),
        ("ALERTS_HEARTBEAT_URL", f"https://example.com:{SECRET}/"),
        ("ALERTS_HEARTBEAT_URL", f"https://{SECRET}\N{ACCOUNT OF}@example.com/"),
        ("DBT_TARGET", "oracle"),
    ],
)
def test_an_invalid_value_is_refused_by_the_name_of_its_setting(
    name: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=name) as refused:
        settings({name: value})
    assert SECRET not in str(refused.value)


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ("RECEIVERS", "HEARTBEAT_URL", "DIGEST_ABOVE", "USER", "SCHEMA")
    assert settings({f"ALERTS_{name}": "" for name in names}) == settings({})


def test_a_role_of_its_own_takes_no_password_of_the_loader() -> None:
    given = {
        "TARGET_POSTGRES_HOST": "db.example.com",
        "TARGET_POSTGRES_USER": "loader",
        "TARGET_POSTGRES_PASSWORD": SECRET,
        "TARGET_POSTGRES_SSL_ENABLE": "true",
        "ALERTS_USER": "alerts",
    }
    warehouse = settings(given).warehouse
    assert isinstance(warehouse, Postgres)
    assert warehouse.conninfo == "host=db.example.com user=alerts sslmode=verify-full"
    assert SECRET not in repr(settings({**given, "ALERTS_PASSWORD": SECRET}))


@pytest.mark.parametrize(
    ("url", "attribute"),
    [
        ("pagerduty://key@token", "dedup"),
        ("opsgenie://key", "alias"),
        ("signl4://secret", "external_id"),
    ],
)
def test_a_receiver_that_drops_repetitions_is_given_the_key(
    url: str, attribute: str
) -> None:
    assert getattr(_service(url, "finding"), attribute) == "finding"
