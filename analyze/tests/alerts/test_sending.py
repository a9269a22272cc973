"""What arrives at receivers, and what the outbox records of it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from openai_audit_analyze.alerts.delivery import call
from tests.alerts.receiver import DEADLINE, HttpReceiver
from tests.alerts.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database


def test_each_finding_is_sent_once(stage: Stage, receiver: HttpReceiver) -> None:
    stage.find("a", "b")
    assert stage.send()
    assert stage.send()
    stage.find("c")
    assert stage.send()
    assert receiver.ids == ["a", "b", "c"]
    assert stage.outbox("finding_id, attempts, sent_at is not null, error") == [
        (finding_id, 1, True, None) for finding_id in "abc"
    ]


def test_a_message_says_what_happened_when_and_how_to_respond(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a")
    assert stage.send()
    (message,) = receiver.received
    assert message["title"] == "High: Owner added"
    assert message["message"].splitlines() == [
        "What happened: Ada Lovelace changed the role of Grace Hopper to owner",
        "When: 2026-03-01 10:00:00 UTC to 2026-03-01 10:05:00 UTC, 2 events",
        "Where: organization org-1",
        "Remediation: Ask Ada",
        "Finding: a of owner_added",
    ]


def test_a_digest_of_several_organizations_says_whose_each_is(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.variables["ALERTS_DIGEST_ABOVE"] = "1"
    stage.find("a", "b")
    assert stage.send()
    stage.find("c")
    stage.find("d", organization_id="org-2")
    assert stage.send()
    of_one, of_two = (message["message"] for message in receiver.received)
    assert "organization" not in of_one
    assert "2 events, organization org-1)" in of_two
    assert "2 events, organization org-2)" in of_two


def test_a_receiver_that_fails_gets_all_when_it_is_back(
    stage: Stage, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    stage.find("a", "b")
    receiver.answer = lambda _: 500
    assert not stage.send()
    assert "channel: findings sent: 0, left for the next run: 2." in caplog.text
    assert "it answered with the status 500: check that it works" in caplog.text
    assert (
        stage.outbox("error")
        == [("it answered with the status 500: check that it works",)] * 2
    )
    receiver.received.clear()
    receiver.answer = lambda _: 200
    assert stage.send()
    assert sorted(receiver.ids) == ["a", "b"]


def test_a_receiver_that_fails_keeps_nothing_from_others(
    stage: Stage, receiver: HttpReceiver
) -> None:
    with HttpReceiver() as broken:
        broken.answer = lambda _: 500
        stage.receivers = {"broken": {"url": broken.url}, **stage.receivers}
        stage.find("a")
        assert not stage.send()
    assert receiver.ids == ["a"]


def _refuse_poison(body: dict[str, Any]) -> int:
    """Answer as a firewall that takes a sentence for an attack."""
    return 403 if "poison" in body["message"] else 200


@pytest.mark.parametrize("others", [2, 20])
def test_a_finding_that_is_refused_keeps_no_other_from_arriving(
    stage: Stage, receiver: HttpReceiver, others: int
) -> None:
    receiver.answer = _refuse_poison
    stage.find("a", severity="critical", sentence="Eve added poison as owner")
    stage.find(*(f"finding-{number}" for number in range(others)))
    assert not stage.send()
    assert stage.outbox("finding_id", "sent_at is null") == [("a",)]
    assert len(stage.outbox("1", "sent_at is not null")) == others
    # What is new comes before what failed.
    receiver.received.clear()
    stage.find("new", severity="critical")
    assert not stage.send()
    assert receiver.ids == ["new", "a"]
    receiver.answer = lambda _: 200
    assert stage.send()
    assert receiver.ids == ["new", "a", "a"]


def test_some_findings_that_are_refused_keep_no_other_from_arriving(
    stage: Stage, receiver: HttpReceiver
) -> None:
    receiver.answer = _refuse_poison
    for number in range(32):
        name = "poison" if number in {0, 1, 20} else "Grace Hopper"
        stage.find(f"finding-{number:02}", sentence=f"Eve added {name} as owner")
    assert not stage.send()
    assert len(stage.outbox("1", "sent_at is not null")) == 29
    # Not one by one: those that were refused are in this count too.
    assert len(receiver.received) < 29


def test_a_new_receiver_that_refuses_one_earlier_finding_gets_the_others(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a", severity="critical", sentence="Eve added poison as owner")
    stage.find("b")
    assert stage.send()
    with HttpReceiver() as new:
        new.answer = _refuse_poison
        stage.receivers = {"new": {"url": new.url}}
        assert not stage.send()
        *refused, taken = new.received
        assert all("poison" in message["message"] for message in refused)
        assert taken["title"] == "Alerts of the OpenAI audit log start here"
        assert "So far: 1 finding: 1 high.\n" in taken["message"]
        assert taken["message"].endswith("\n1 more follow in messages of their own.")
    assert receiver.ids == ["a", "b"]


def test_a_receiver_that_is_down_is_left_alone_and_gets_one_message_when_it_is_back(
    stage: Stage, receiver: HttpReceiver
) -> None:
    receiver.answer = lambda _: 500
    for number in range(4):
        stage.find(*(f"finding-{number}-{place}" for place in range(8)))
        receiver.received.clear()
        assert not stage.send()
        assert len(receiver.received) <= 7
    receiver.received.clear()
    receiver.answer = lambda _: 200
    assert stage.send()
    (message,) = receiver.received
    assert message["title"] == "32 findings: 32 high"


@pytest.mark.parametrize(
    "at", ["10000-01-01 00:00:00", "4000-01-01 00:00:00 (BC)", "infinity"]
)
def test_a_time_that_python_cannot_hold_is_shown_as_it_is(
    stage: Stage, receiver: HttpReceiver, at: str
) -> None:
    if stage.kind == "postgres":
        at = at.replace("(BC)", "BC")
    elif at.endswith("(BC)"):
        at = "4000-01-01 (BC) 00:00:00"
    stage.find("a", "b")
    stage.execute(
        f"update {{schema}}.openai_audit__findings set first_event_at = '{at}',"
        f" last_event_at = '{at}', detected_at = '{at}' where finding_id = 'a'"
    )
    assert stage.send()
    assert sorted(receiver.ids) == ["a", "b"]
    (message,) = (m for m in receiver.received if m["finding_id"] == "a")
    assert f"When: {at} UTC\n" in message["message"]


@pytest.mark.xdist_group("postgres")
def test_times_are_written_alike_however_a_database_would_write_them(
    tmp_path: Path, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    stage = Stage("postgres", f"answers_{uuid4().hex}", tmp_path, postgres)
    stage.find("a")
    with HttpReceiver() as server:
        stage.receivers["channel"] = {"url": server.url}
        assert stage.send()
        assert "(2026-03-01 10:00:00 UTC to" in server.received[0]["message"]


def test_a_row_whose_message_cannot_be_written_holds_up_no_other_receiver(
    stage: Stage, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    stage.find("a", sentence="\N{SNOWMAN}")
    with HttpReceiver() as other:
        stage.receivers["other"] = {"url": other.url, "minimum_severity": "critical"}
        with pytest.MonkeyPatch.context() as patched:
            # No text is known to do so.
            patched.setattr(
                "openai_audit_analyze.alerts.message.escaped",
                lambda text, _: text.encode("ascii"),
            )
            assert not stage.send()
        assert len(other.received) == 1
    assert not receiver.received
    assert "its message could not be written: UnicodeEncodeError" in caplog.text


def test_a_slow_receiver_holds_up_no_other(
    stage: Stage, receiver: HttpReceiver
) -> None:
    others = threading.Event()
    with HttpReceiver() as slow:
        slow.answer = lambda _: 200 if others.wait(DEADLINE) else 500
        stage.receivers = {
            "slow": {"url": f"{slow.url}?rto={DEADLINE}"},
            **stage.receivers,
        }
        stage.find("a")

        def answer(_: dict[str, Any]) -> int:
            others.set()
            return 200

        receiver.answer = answer
        assert stage.send()


def test_a_run_ends_though_a_receiver_does_not_answer(
    stage: Stage, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    arrived, over = threading.Event(), threading.Event()

    def hold(_: dict[str, Any]) -> int:
        arrived.set()
        return 200 if over.wait(DEADLINE) else 500

    receiver.answer = hold
    stage.receivers["channel"]["url"] += f"?rto={DEADLINE}"
    stage.variables["ALERTS_TIMEOUT_SECONDS"] = "1"
    stage.find("a")
    assert not stage.send()
    assert "it did not answer before the run's time was over" in caplog.text
    assert arrived.wait(DEADLINE)
    over.set()
    receiver.answer = lambda _: 200
    stage.variables["ALERTS_TIMEOUT_SECONDS"] = str(DEADLINE)
    assert stage.send()
    assert receiver.ids == ["a", "a"]


def test_two_senders_at_once_send_each_finding_once(
    stage: Stage, receiver: HttpReceiver
) -> None:
    findings = [f"finding-{number}" for number in range(8)]
    stage.find(*findings)
    stage.receivers["channel"]["url"] += f"?rto={DEADLINE}"
    # The first two wait for each other: each of the senders has one under way.
    both = threading.Barrier(2)
    met = threading.Event()

    def answer(_: dict[str, Any]) -> int:
        if not met.is_set():
            both.wait(DEADLINE)
            met.set()
        return 200

    receiver.answer = answer
    senders = [stage.start() for _ in range(2)]
    for sender in senders:
        output, _ = sender.communicate(timeout=DEADLINE)
        assert sender.returncode == 0, output
    assert sorted(receiver.ids) == findings


def test_two_senders_may_both_be_the_first(stage: Stage) -> None:
    stage.find("a")
    with HttpReceiver() as server:
        stage.receivers["channel"] = {"url": server.url}
        senders = [stage.start() for _ in range(2)]
        for sender in senders:
            output, _ = sender.communicate(timeout=DEADLINE)
            assert sender.returncode == 0, output
    assert len(server.received) == 1


def test_what_was_under_way_in_a_kill_is_sent_again_and_nothing_else(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a", "b", "c")
    arrived, over = threading.Event(), threading.Event()

    def hold_the_second(_: dict[str, Any]) -> int:
        if len(receiver.received) == 2:
            arrived.set()
            over.wait(DEADLINE)
        return 200

    receiver.answer = hold_the_second
    sender = stage.start()
    assert arrived.wait(DEADLINE)
    sender.kill()
    sender.communicate(timeout=DEADLINE)
    over.set()
    receiver.answer = lambda _: 200
    # Whoever holds the claim may be alive: only others are sent.
    assert stage.send()
    assert sorted(receiver.ids) == ["a", "b", "c"]
    stage.age_claims()
    assert stage.send()
    assert stage.send()
    assert sorted(receiver.ids) == ["a", "b", "b", "c"]


def test_many_findings_become_one_message(stage: Stage, receiver: HttpReceiver) -> None:
    many = [f"finding-{number:02}" for number in range(12)]
    stage.find(*many[:9], severity="medium")
    stage.find(*many[9:], severity="critical", sentence="Eve deleted a project")
    assert stage.send()
    assert stage.send()
    (message,) = receiver.received
    assert message["title"] == "12 findings: 3 critical, 9 medium"
    lines = message["message"].splitlines()
    assert lines[0].startswith("Critical: Eve deleted a project (2026-03-01 10:00:00 U")
    assert lines[3].startswith("Medium: Ada Lovelace changed the role of Grace Hopper")
    assert lines[10:] == [
        "And 2 more.",
        "The remediation of each is in openai_audit__findings.",
    ]
    assert len(stage.outbox("1", "sent_at is not null")) == 12


def test_a_digest_that_fails_is_sent_as_one_again(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.variables["ALERTS_DIGEST_ABOVE"] = "2"
    stage.find("a", "b", "c")
    receiver.answer = lambda _: 500
    assert not stage.send()
    receiver.answer = lambda _: 200
    assert stage.send()
    # A receiver that has such a key drops the repetition.
    assert receiver.received[0] == receiver.received[-1]


def test_a_receiver_gets_its_minimum_severity_and_above(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("low", severity="low")
    stage.find("medium", severity="medium")
    stage.find("unheard-of", severity="unheard-of")
    assert stage.send()
    assert sorted(receiver.ids) == ["medium", "unheard-of"]


def test_what_is_suppressed_is_not_sent(stage: Stage, receiver: HttpReceiver) -> None:
    stage.find("a", suppressed_reason="expected")
    stage.find("b", suppressed_today="expected since today")
    stage.find("c")
    assert stage.send()
    assert receiver.ids == ["c"]


def test_what_is_not_suppressed_any_more_counts_as_new(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a", suppressed_reason="expected", suppressed_today="expected")
    stage.find("b", "c", suppressed_today="expected until today")
    assert stage.send()
    stage.execute(
        "update {schema}.openai_audit__findings_now set suppressed_reason=null"
    )
    assert stage.send()
    assert receiver.ids == ["b", "c"]


def test_earlier_findings_are_one_message_to_a_new_receiver(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a", "b")
    assert stage.send()
    with HttpReceiver() as new:
        stage.receivers["new"] = {"url": new.url, "minimum_severity": "critical"}
        stage.find("c", severity="critical")
        assert stage.send()
        stage.find("d", severity="critical")
        assert stage.send()
        assert stage.send()
        introduction, alert = new.received
        assert introduction["title"] == "Alerts of the OpenAI audit log start here"
        assert introduction["message"].splitlines()[:2] == [
            "Each new finding of critical severity is sent here from now on.",
            "So far: 1 finding: 1 critical.",
        ]
        assert alert["finding_id"] == "d"
        # A lower minimum is a new beginning.
        stage.receivers["new"]["minimum_severity"] = "high"
        assert stage.send()
        assert len(new.received) == 3
        assert "2 findings: 2 high" in new.received[2]["message"]
        # New findings may be in it, so it is as severe as the worst of them.
        types = [message["type"] for message in new.received]
        assert types == ["info", "failure", "failure"]
    assert receiver.ids == ["a", "b", "c", "d"]


def test_a_url_that_apprise_does_not_know_is_reported_at_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.receivers["channel"] = {"url": "nowhere://x"}
    assert not stage.send()
    assert "Apprise does not know this kind of URL: correct it" in caplog.text


def test_the_heartbeat_is_called_after_a_whole_successful_run_alone(
    stage: Stage, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    with HttpReceiver() as heart:
        stage.variables["ALERTS_HEARTBEAT_URL"] = f"http://{heart.place}"
        assert stage.send()
        assert heart.calls == 1
        stage.find("a")
        receiver.answer = lambda _: 500
        assert not stage.send()
        assert heart.calls == 1
        receiver.answer = lambda _: 200
        heart.answer = lambda _: 404
        assert not stage.send()
    assert (
        "The heartbeat was not called: it answered with the status 404" in caplog.text
    )


@pytest.mark.parametrize("findings", [["a"], []])
def test_no_heartbeat_is_called_while_another_run_may_hold_a_message(
    stage: Stage, findings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    arrived, over = threading.Event(), threading.Event()

    def hold(_: dict[str, Any]) -> int:
        arrived.set()
        return 200 if over.wait(DEADLINE) else 500

    with HttpReceiver() as heart, HttpReceiver() as receiver:
        stage.variables["ALERTS_HEARTBEAT_URL"] = f"http://{heart.place}"
        stage.receivers["channel"] = {"url": receiver.url}
        stage.find(*findings)
        receiver.answer = hold
        sender = stage.start()
        assert arrived.wait(DEADLINE)
        sender.kill()
        sender.communicate(timeout=DEADLINE)
        over.set()
        assert stage.send()
        assert "The heartbeat was not called: another run still" in caplog.text
        assert heart.calls == 0
        stage.age_claims()
        assert stage.send()
        assert heart.calls == 1


def test_a_heartbeat_that_answers_with_another_address_was_not_called(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with HttpReceiver() as heart:
        stage.variables["ALERTS_HEARTBEAT_URL"] = f"http://{heart.place}"
        heart.answer = lambda _: 301
        assert not stage.send()
    assert "not called: it answered with the status 301" in caplog.text


def test_a_heartbeat_that_answers_for_ever_is_waited_for_no_longer_than_a_run() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(10 * DEADLINE):
                    if not over.wait(0.1):
                        connection.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        port = server.getsockname()[1]
        assert "did not answer in time" in str(call(f"http://127.0.0.1:{port}", 1))
        over.set()
        dripping.join(DEADLINE)


def test_without_a_receiver_nothing_is_sent_and_a_line_says_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stage.find("a")
    assert stage.send()
    assert "No receiver is set, so no alert is sent" in caplog.text
    assert not stage.execute(
        "select 1 from information_schema.tables where table_schema = '{schema}'"
        " and table_name = 'openai_audit__alerts'"
    )
