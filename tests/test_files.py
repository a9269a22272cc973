"""The engine for files: whatever they hold and wherever a run ends, each event once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import (
    NOW,
    START,
    STEP,
    Killed,
    ModelFile,
    ModelFiles,
    ModelSink,
    Target,
    restored,
    run,
    saved,
)

from tap_openai_audit.errors import BadResponse, BrokenPaging, RequestFailed
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.timestamps import iso
from tap_openai_audit.workspace import hashes
from tap_openai_audit.workspace.feed import EXPIRED, Feed
from tap_openai_audit.workspace.feed_report import FeedReport
from tap_openai_audit.workspace.hashes import KnownEvents, KnownFiles
from tap_openai_audit.workspace.in_order import InOrder
from tap_openai_audit.workspace.log_files import FilePage, LogFile
from tap_openai_audit.workspace.position import Asked, Position
from tap_openai_audit.workspace.verified import Download

if TYPE_CHECKING:
    from collections.abc import Iterator

HANGS_SECONDS = 60  # bounds a hang, and nothing else
DAY = 86_400


def file(slot: int, *lines: str, id_: str = "", **more: Any) -> ModelFile:
    return ModelFile(id_ or f"file-{slot:03}", slot, [*lines], **more)


def many(count: int, *, events: int = 3) -> list[ModelFile]:
    return [
        file(slot, *(f"event-{slot}-{n}" for n in range(events)))
        for slot in range(count)
    ]


def distinct(api: ModelFiles) -> set[str]:
    return {id_ for found in api.files if not found.is_expired for id_ in found.ids}


def hash_of(id_: str) -> int:
    return int(md5(id_.encode(), usedforsecurity=False).hexdigest()[:8], 16)


@st.composite
def any_files(draw: st.DrawFn) -> list[ModelFile]:
    """Files of any kind; an event may come again in one that ends within two hours."""
    slots = draw(st.lists(st.integers(0, 30), min_size=1, max_size=14))
    made: list[ModelFile] = []
    for number, slot in enumerate(sorted(slots)):
        appears_in = draw(st.sampled_from([0, 0, 0, 1, 2]))
        lines = [f"event-{number}-{n}" for n in range(draw(st.integers(0, 5)))]
        for other in made:
            close = slot - other.slot <= 11 and not (appears_in or other.appears_in)
            if close and other.ids:
                lines += draw(st.lists(st.sampled_from(other.ids), max_size=2))
        lines += draw(st.lists(st.sampled_from(["!broken", "", ""]), max_size=2))
        lines = draw(st.permutations(lines))
        made.append(ModelFile(f"file-{number:02}", slot, lines, appears_in=appears_in))
    return made


@given(
    any_files(),
    st.integers(1, 6),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_every_event_is_emitted_and_none_twice_wherever_runs_are_killed(
    files: list[ModelFile], page_size: int, kills: list[int]
) -> None:
    api, target = ModelFiles(files, page_size), Target()
    bearable = 0
    for number, left in enumerate([*kills, *[10**9] * 3]):
        api.run = number
        try:
            run(api, target, left=left)
        except Killed:
            bearable += target.unconfirmed
            target.unconfirmed = 0
        except BrokenPaging:
            # More files share a time than a page holds: nothing is skipped.
            api.page_size = 100
    run(api, target)
    assert set(target.ids) == distinct(api)
    repeated = len(target.ids) - len(distinct(api))
    assert repeated <= bearable
    # The ledger counts each event once, also where a kill has it written twice.
    rows = target.rows.values()
    assert sum(row.emitted for row in rows) == len(distinct(api))
    assert sum(row.ids_checksum for row in rows) == sum(map(hash_of, distinct(api)))
    for found in files:
        row = target.rows[found.id]
        assert row.events == len(found.ids)
        assert row.emitted + row.known == row.events
        assert row.lines == sum(line != "" for line in found.lines)
        assert (row.reason is not None) == any(line[:1] == "!" for line in found.lines)


@given(any_files(), st.integers(1, 4))
def test_events_come_in_the_order_of_their_files(
    files: list[ModelFile], size: int
) -> None:
    api, target = ModelFiles(files, run=9), Target()
    run(api, target, size=size)
    slots = {id_: found.slot for found in reversed(files) for id_ in found.ids}
    emitted = [slots[id_] for id_ in target.ids]
    assert emitted == sorted(emitted)


def test_a_run_with_nothing_new_asks_once_and_downloads_nothing() -> None:
    api, target = ModelFiles(many(60)), Target()
    run(api, target)
    api.pages.clear()
    api.downloads.clear()
    run(api, target)
    assert len(api.pages) == 1
    assert not api.downloads


def test_a_file_that_appears_half_a_day_after_later_ones_is_emitted() -> None:
    files = [*many(70), file(0, "late", id_="late", appears_in=1)]
    api, target = ModelFiles(files), Target()
    run(api, target)
    api.run = 1
    found = run(api, target)
    assert target.ids[-1] == "late"
    assert found._report.late == 1
    assert found._report.latest_by == 69 * STEP


def test_a_deep_look_finds_a_file_that_is_days_late() -> None:
    files = [*many(6 * 144), file(3, "late", id_="late", appears_in=1)]
    api, target, asked = ModelFiles(files), Target(), Asked(deep_days=7)
    run(api, target, asked=asked)
    api.run = 1
    run(api, target, asked=asked)
    assert "late" not in target.ids
    run(api, target, asked=asked, deep=True)
    assert target.ids[-1] == "late"
    assert len(target.ids) == len(set(target.ids))


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [(None, 0, True), (0, DAY - 1, False), (0, DAY, True), (10, 0, True)],
)
def test_a_deep_look_is_due_once_a_day(
    last: int | None, now: int, *, due: bool
) -> None:
    position = Position(bookmark=iso(START), deep_look_at=last)
    assert position.is_deep_look_due(Asked(deep_days=7), now) == due
    assert not position.is_deep_look_due(Asked(deep_days=0), now)
    assert not Position().is_deep_look_due(Asked(deep_days=7), now)


def test_each_run_is_a_deep_look_where_no_hour_lies_between_them() -> None:
    position = Position(bookmark=iso(START), deep_look_at=5)
    assert position.is_deep_look_due(Asked(deep_days=7, deep_every_hours=0), 5)


def test_what_lies_before_the_files_that_are_known_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashes, "MOST_FILES", 20)
    api, target, asked = ModelFiles(many(60)), Target(), Asked(deep_days=7)
    run(api, target, asked=asked)
    run(api, target, asked=asked, deep=True)
    assert len(target.ids) == len(set(target.ids)) == 180
    assert len(restored(target.state).files) == 20


def test_only_files_between_the_dates_are_read() -> None:
    api, target = ModelFiles(many(10)), Target()
    asked = Asked(start=START + 2 * STEP, end=START + 5 * STEP)
    run(api, target, asked=asked)
    assert {id_.split("-")[1] for id_ in target.ids} == {"3", "4"}
    run(api, target, asked=asked, deep=True)
    assert len(target.ids) == 6


# Listings that do not fit together


class Pages(ModelFiles):
    """Lists what a test says, page after page."""

    def __init__(self, *answers: FilePage) -> None:
        super().__init__([file(slot) for slot in range(9)])
        self.files.append(file(5, id_="tie"))
        self._answers = [*answers]

    def page(self, after: str, before: str | None) -> FilePage:
        self.pages.append(after)
        assert before is None
        return self._answers.pop(0)


def page(*slots: int, more: bool = False) -> FilePage:
    return FilePage([file(slot).listed for slot in slots], more)


TIE = replace(file(5).listed, id="tie")


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([page(2, 1)], id="not ascending"),
        pytest.param([page(more=True)], id="more, but no file"),
        pytest.param([page(5, more=True)], id="more, but a single time"),
        pytest.param(
            [FilePage([file(5).listed, TIE], has_more=True)],
            id="more, but all share a time",
        ),
        pytest.param([page(1, 2, 3, more=True), page(0, 3)], id="before `after`"),
        pytest.param(
            [
                page(1, 5, 6, more=True),
                FilePage([TIE, file(6).listed], has_more=False),
            ],
            id="at `after`, and not seen before",
        ),
        pytest.param(
            [page(1, 2, more=True), page(1, 2, more=True)], id="nothing new, but more"
        ),
    ],
)
def test_a_listing_that_breaks_its_rules_ends_the_run_and_skips_nothing(
    answers: list[FilePage],
) -> None:
    with pytest.raises(BrokenPaging):
        run(Pages(*answers), target := Target())
    done = restored(target.state)
    # Nothing from the broken page on counts as done.
    assert file(6).listed not in done.files
    assert done.bookmark is None or done.bookmark <= iso(START + 5 * STEP)


def test_the_file_at_which_a_page_ended_may_come_again() -> None:
    api = Pages(page(1, 2, 3, more=True), page(2, 3, 4))
    run(api, target := Target())
    assert set(target.rows) == {f"file-00{slot}" for slot in (1, 2, 3, 4)}


def test_the_next_page_is_asked_for_in_the_words_of_the_api() -> None:
    end_time = "2026-10-05T12:00:00.1234567Z"
    first = replace(file(0).listed, end_time=end_time)
    api = Pages(FilePage([first, file(1).listed], has_more=True), page(1))
    run(api, Target())
    assert api.pages[1] == end_time


# Content that is not as declared


def test_a_transfer_that_was_cut_is_made_again() -> None:
    cut = file(1, "a", "b", "c")
    cut.bodies = [b"a\nb", cut.body]
    found = run(api := ModelFiles([cut]), target := Target())
    assert target.ids == ["a", "b", "c"]
    assert target.rows["file-001"].checksum_matches
    assert not found.mislabelled
    assert api.downloads["file-001"] == 2


@pytest.mark.parametrize(
    "bodies", [[b"a\nb", b"a"], [b"a\n!b"], [b""], [b"a\nb", b"a\nc"]]
)
def test_a_file_that_nobody_can_tell_what_it_holds_ends_the_run_before_it(
    bodies: list[bytes],
) -> None:
    files = [file(0, "first"), file(1, "a", "b", "c", bodies=bodies), file(2, "last")]
    with pytest.raises(BadResponse) as caught:
        run(ModelFiles(files), target := Target())
    assert caught.value.cause is Cause.BROKEN_FILE
    assert target.ids == ["first"]
    assert restored(target.state).bookmark == iso(START)
    files[1].bodies = []
    run(ModelFiles(files), target)
    assert target.ids == ["first", "a", "b", "c", "last"]


def test_two_downloads_that_agree_tell_that_the_listing_is_wrong() -> None:
    wrong = file(1, "a", "b", declared=b"c")
    found = run(ModelFiles([wrong]), target := Target())
    assert target.ids == ["a", "b"]
    assert target.rows["file-001"].checksum_matches is False
    assert [row.file.id for row in found.mislabelled] == ["file-001"]
    assert not found.flawed


def test_two_downloads_that_are_cut_at_the_same_place_are_not_the_file() -> None:
    longer = b'{"event_id":"a"}\n{"event_id":"b"}\n{"event_id":"c"}\n' * 9
    with pytest.raises(BadResponse, match=r"twice as .* only"):
        run(ModelFiles([file(1, "a", "b", declared=longer)]), target := Target())
    assert target.ids == []


def test_a_file_that_ends_in_the_future_hides_none_that_comes_until_then() -> None:
    files = [*many(3), file(9_000_000, "future", id_="future")]
    api, target = ModelFiles(files), Target()
    run(api, target)
    assert restored(target.state).bookmark == iso(NOW)
    api.files = [*files, file(60 * 144 - 3, "later", id_="later")]
    run(api, target)
    assert target.ids[-1] == "later"
    assert len(target.ids) == len(set(target.ids))


def test_a_file_of_the_very_time_that_is_asked_after_is_read() -> None:
    api, target = Pages(page(0, 1)), Target()
    run(api, target, asked=Asked(start=START))
    assert {"file-000", "file-001"} == set(target.rows)


def test_what_can_be_read_of_a_file_is_emitted_and_the_feed_goes_on() -> None:
    files = [file(1, "a", "!", "b"), file(2, "c"), file(3, is_expired=True)]
    found = run(ModelFiles(files), target := Target())
    assert target.ids == ["a", "b", "c"]
    assert target.rows["file-001"].reason == "line 2: no JSON"
    assert target.rows["file-003"].reason == EXPIRED
    assert [row.file.id for row in found.flawed] == ["file-001", "file-003"]
    # It is told once.
    assert not run(ModelFiles(files), target).flawed


def test_a_download_that_fails_ends_the_run_behind_what_is_emitted() -> None:
    api, target = ModelFiles(many(8), fails_at=frozenset({"file-005"})), Target()
    with pytest.raises(RequestFailed):
        run(api, target)
    assert restored(target.state).bookmark == iso(START + 4 * STEP)
    api.fails_at = frozenset()
    run(api, target)
    assert target.ids == [id_ for found in many(8) for id_ in found.ids]


# Within a file


def test_a_file_whose_content_has_changed_is_read_from_its_beginning() -> None:
    large = file(1, *(f"event-{n}" for n in range(50)))
    target = Target()
    with pytest.raises(Killed):
        run(ModelFiles([large]), target, left=30)
    assert target.state["begun"].items
    changed = file(1, *(f"event-{n}" for n in range(49, -1, -1)))
    run(ModelFiles([changed]), target)
    assert set(target.ids) == set(large.ids)
    # Their ids are known all the same.
    assert len(target.ids) - 50 <= 8


def test_a_file_that_was_begun_is_ended_before_one_that_appeared_meanwhile() -> None:
    large = file(5, *(f"event-{n}" for n in range(50)))
    late = file(1, "late", appears_in=1)
    api, target = ModelFiles([large, late]), Target()
    with pytest.raises(Killed):
        run(api, target, left=30)
    bearable, api.run = target.unconfirmed, 1
    run(api, target)
    assert Counter(target.ids).keys() == {*large.ids, "late"}
    assert len(target.ids) <= 51 + bearable
    assert target.rows["file-005"].emitted == 50


def test_what_a_map_leaves_out_is_counted_and_not_emitted_again() -> None:
    api, target = ModelFiles([file(1, "a", "b", "c")]), Target()
    position = Position()
    sink = ModelSink(target, position, mapped=lambda e: e.id != "b")
    feed = Feed(
        api, position, Asked(), FeedReport("workspace_audit", started_at=0), sink
    )
    feed.read(lambda: None, now=lambda: NOW)
    row = target.rows["file-001"]
    assert (row.emitted, row.filtered, row.known) == (2, 1, 0)
    assert row.ids_checksum == hash_of("a") + hash_of("c")


# The ledger


def test_rows_that_were_lost_are_written_again_and_no_event_is() -> None:
    files = many(300)
    files[20].lines.append(files[19].lines[0])
    api, target, asked = ModelFiles(files), Target(), Asked(deep_days=7)
    run(api, target, asked=asked)
    emitted, rows = [*target.ids], {**target.rows}
    day = (START + 20 * STEP) // DAY * DAY
    target.rows.clear()
    api.downloads.clear()
    run(api, target, asked=asked, lost=[day])
    of_the_day = {found.id for found in files if 0 <= found.listed.at - day < DAY}
    assert set(target.rows) == of_the_day == set(api.downloads)
    assert target.ids == emitted
    for id_, row in target.rows.items():
        assert (row.emitted, row.ids_checksum) == (
            rows[id_].emitted,
            rows[id_].ids_checksum,
        )


def test_days_sum_up_what_is_done() -> None:
    known = KnownFiles()
    for found in many(300):
        known.add(found.listed)
    days = known.days()
    assert sum(count for count, _ in days.values()) == 300
    other = known.copy()
    other.add(file(7, id_="one more").listed)
    changed = {day for day, found in other.days().items() if days[day] != found}
    assert changed == {(START + 7 * STEP) // DAY * DAY}


# What is known


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3))))
def test_what_is_kept_of_files_is_what_was_known(keys: list[tuple[int, int]]) -> None:
    known = KnownFiles()
    listed = [file(slot, id_=f"file-{n}").listed for slot, n in keys]
    for found in listed:
        known.add(found)
    again = KnownFiles.decode(known.encode())
    assert all(found in again for found in listed)
    assert file(401).listed not in again
    assert again.days() == known.days()


@given(st.lists(st.tuples(st.text(), st.integers(0, 9)), max_size=60))
def test_what_is_kept_of_events_is_what_was_known(keys: list[tuple[str, int]]) -> None:
    known = KnownEvents()
    for id_, slot in keys:
        known.add(id_, START + slot)
    again = KnownEvents.decode(known.encode())
    assert all(id_ in again for id_, _ in keys)
    assert "another" not in again
    assert KnownEvents.decode(again.encode()).encode() == again.encode()


def test_what_is_known_stays_small_and_the_newest_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashes, "MOST_EVENTS", 3_000)
    known = KnownEvents()
    for number in range(5_000):
        known.add(f"event-{number}", START + number // 500 * STEP)
    assert len(known) == 3_000
    assert "event-1999" not in known
    assert len(known.encode()) <= hashes.EVENTS_BUDGET
    again = KnownEvents.decode(known.encode())
    assert all(f"event-{number}" in again for number in range(4_200, 5_000))
    assert "event-2000" not in again
    known.forget_before(START + 9 * STEP)
    assert len(known) == 500


def test_a_week_of_files_fits_the_state() -> None:
    known = KnownFiles()
    for slot in range(20 * 144):
        known.add(file(slot).listed)
    assert known.forget_before(0) > START
    assert len(known) == hashes.MOST_FILES > 7 * 144
    assert len(known.encode()) < 11 * 1024


@pytest.mark.parametrize("text", ["!", "AAA=", "AAEA", "gA=="])
def test_a_text_that_is_nothing_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it "):
        KnownFiles.decode(text)


def test_a_position_is_the_same_after_it_was_kept() -> None:
    run(ModelFiles(many(5)), target := Target())
    assert saved(restored(target.state)) == target.state


# Several at the same time


def test_files_are_handed_on_in_order_whichever_is_there_first() -> None:
    listed = [file(slot).listed for slot in range(9)]
    second_is_there = threading.Event()

    def download(found: LogFile) -> Download:
        if found.id == "file-000":
            assert second_is_there.wait(HANGS_SECONDS)
        second_is_there.set()
        return Download(found, None)

    found = InOrder(iter(listed), download, heartbeat=lambda: None)
    assert [one.file for one in found] == listed


def test_memory_holds_few_files_and_a_large_one_alone() -> None:
    sizes = [40, 30, 30, 500, 10, 10, 10, 10, 10, 10]
    listed = [replace(file(slot).listed, size=size) for slot, size in enumerate(sizes)]
    held: list[LogFile] = []
    lock, most = threading.Lock(), []

    def download(found: LogFile) -> Download:
        with lock:
            held.append(found)
            most.append((sum(one.size or 0 for one in held), len(held)))
        return Download(found, None)

    for one in InOrder(iter(listed), download, heartbeat=lambda: None, most_bytes=100):
        with lock:
            held.remove(one.file)
    # The caller lets go of a file just before this test counts it out.
    assert max(files for _, files in most) <= 5
    assert max(size for size, _ in most if size < 500) <= 140
    assert [files for size, files in most if size >= 500] in ([1], [2])


def test_a_heartbeat_ends_the_reading_while_it_waits() -> None:
    over = threading.Event()
    beats = iter([None, None, Killed()])

    def heartbeat() -> None:
        if (ending := next(beats)) is not None:
            raise ending

    def download(found: LogFile) -> Download:
        assert over.wait(HANGS_SECONDS)
        return Download(found, None)

    with pytest.raises(Killed):
        list(InOrder(iter([file(1).listed]), download, heartbeat=heartbeat))
    over.set()


def test_an_error_of_the_listing_comes_behind_the_files_before_it() -> None:
    def listed() -> Iterator[LogFile]:
        yield file(1).listed
        raise BrokenPaging("It breaks")

    found = iter(
        InOrder(listed(), lambda one: Download(one, None), heartbeat=lambda: None)
    )
    assert next(found).file == file(1).listed
    with pytest.raises(BrokenPaging):
        next(found)
