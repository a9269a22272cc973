"""What a setting that makes no sense is answered with, in one line without secrets."""

from __future__ import annotations

import json

import pytest

from openai_audit_analyze.alerts.delivery import _service
from openai_audit_analyze.alerts.settings import BadSettings, settings
from openai_audit_analyze.alerts.warehouse import Postgres
from tests.alerts.receiver import SECRET

URL = f"json://example.com/{SECRET}"


@pytest.mark.parametrize(
    ("receivers", "says"),
    [
        (URL, "is no JSON object of receivers by name"),
        ([URL], "is no JSON object of receivers by name"),
        ({URL: {"url": URL}}, "has a name that is none"),
        ({"a": URL}, "gives no url for a"),
        ({"a": {"url": URL, URL: "high"}}, "than url and minimum_severity: remove"),
        (f'{{"a": {{"url": "{URL}"}}, "a": {{"url": "{URL}"}}}}', "has a name twice"),
        (f'{{"a": {{"url": "{URL}", "url": "{URL}"}}}}', "has a name twice"),
        ("[" * 100_000, "is no JSON object of receivers by name"),
        ({"a": {"url": URL, "minimum_severity": URL}}, "that is none of critical,"),
    ],
)
def test_a_receiver_that_makes_no_sense_is_named_without_its_url(
    receivers: object, says: str
) -> None:
    text = receivers if isinstance(receivers, str) else json.dumps(receivers)
    with pytest.raises(BadSettings, match=says) as refused:
        settings({"ALERTS_RECEIVERS": text})
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


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
def test_what_has_bounds_is_held_to_them(name: str, value: str) -> None:
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
