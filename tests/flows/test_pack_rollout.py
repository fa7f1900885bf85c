"""A whole rollout becomes evidence: the journal itself, every attempt, and what lies beside it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.attempts import steps_of
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.pack import pack_again, pack_session
from hkex_ops.flows.pack_rollout import pack_rollout, rollout_verdict, worked_sessions
from hkex_ops.flows.packing import Packed
from hkex_ops.flows.paperwork import serves
from hkex_ops.model import Bound, FieldKind, Form, FormField, Window
from hkex_ops.rundown import StepState, Verdict
from tests.flows.desk import (
    CLOSES,
    OPENS,
    ROLLOUT,
    SESSION,
    Clerk,
    Dies,
    DyingJournal,
    FakeHands,
    done,
    steps_of as desk_steps,
    work,
)
from tests.render.packs import page_of

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(OPENS)


def opened(folder: Path, clock: ManualClock) -> Journal:
    return Journal.open(folder / "work", ROLLOUT.id, clock=clock)


def both() -> Clerk:
    return Clerk([done(), done()])


def packed(folder: Path, clock: ManualClock, name: str = "pack") -> Packed:
    with opened(folder, clock) as journal:
        return pack_rollout(journal, ROLLOUT, folder / name, clock)


def document(pack: Packed) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((pack.folder / "data" / "rundown.json").read_text("utf-8"))
    return read


async def failed_and_worked_again(folder: Path, clock: ManualClock) -> None:
    """Two attempts: the first proves nothing at its login, the second passes."""
    with opened(folder, clock) as journal:
        hands = FakeHands([StepState.UNKNOWN])
        await work(journal, clock, asker=both(), hands=hands)
        pack_session(journal, ROLLOUT, SESSION, desk_steps(), folder / "first")
        await work(journal, clock, asker=both())


async def test_its_events_are_the_journal_byte_for_byte(tmp_path: Path, clock: ManualClock) -> None:
    await failed_and_worked_again(tmp_path, clock)
    clock.advance(HOUR)
    pack = packed(tmp_path, clock)
    report = verify_evidence(pack.folder)
    assert ((), pack.seal) == (report.findings, report.seal)
    journal = (tmp_path / "work" / ROLLOUT.id / "journal.jsonl").read_bytes()
    events = (pack.folder / "data" / "events.jsonl").read_bytes()
    # What follows in the journal says that the pack is kept, and where.
    assert events == journal[: len(events)]
    assert 1 == len(journal[len(events) :].splitlines())
    last = json.loads(events.splitlines()[-1])
    info = (pack.folder / "bag-info.txt").read_text("utf-8")
    assert f"Chain-Head: {last['sequence']} sha256:{last['digest']}" in info


async def test_every_attempt_is_told_and_the_last_one_counts(
    tmp_path: Path, clock: ManualClock
) -> None:
    await failed_and_worked_again(tmp_path, clock)
    told = document(packed(tmp_path, clock))
    assert [("session-1", 1, "failed"), ("session-1", 2, "passed")] == [
        (one["session"], one["attempt"], one["outcome"]) for one in told["sessions"]
    ]
    assert "passed" == told["outcome"]
    page = page_of((tmp_path / "pack" / "data" / "summary.html").read_text("utf-8"))
    assert "Session 1, attempt 1" in page.text
    assert "Session 1, attempt 2" in page.text


async def test_a_session_that_goes_on_is_shown_as_far_as_it_came(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk([done()]))
    told = document(packed(tmp_path, clock))
    assert ("waiting", "waiting", None) == (
        told["outcome"],
        told["sessions"][0]["outcome"],
        told["sessions"][0]["concluded"],
    )
    states = [row["outcome"] for row in told["sessions"][0]["steps"]]
    assert ["passed", "passed", "passed", "waiting"] == states
    page = page_of((tmp_path / "pack" / "data" / "summary.html").read_text("utf-8"))
    assert "WAITING" in page.text
    assert "not all of it is concluded" in page.text


def test_a_session_that_was_never_begun_is_told_and_counts_for_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("agenda-item-done", {"item": "x", "done": True})
    told = document(packed(tmp_path, clock))
    assert [("session-1", None, "not begun")] == [
        (one["session"], one["attempt"], one["outcome"]) for one in told["sessions"]
    ]
    assert "waiting" == told["outcome"]
    assert "not begun" in (tmp_path / "pack" / "data" / "rundown.txt").read_text("utf-8")


def test_where_nothing_was_kept_there_is_nothing_to_pack(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        with pytest.raises(UsageError, match="nothing was kept of test-1 in"):
            pack_rollout(journal, ROLLOUT, tmp_path / "pack", clock)
        with pytest.raises(UsageError, match="session-1 of test-1 was never begun"):
            pack_again(journal, ROLLOUT, SESSION, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


async def test_it_is_never_made_over_something(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
    (tmp_path / "pack").mkdir()
    with pytest.raises(StoreError, match="is there already"):
        packed(tmp_path, clock)
    with pytest.raises(StoreError, match="is no folder"):
        packed(tmp_path, clock, "missing/pack")


async def test_two_packs_of_one_journal_hold_the_same_work(
    tmp_path: Path, clock: ManualClock
) -> None:
    await failed_and_worked_again(tmp_path, clock)
    first, second = (document(packed(tmp_path, clock, name)) for name in ("one", "two"))
    assert first == second


async def test_one_more_pack_of_a_session_may_be_made_when_it_is_over(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
        first = pack_session(journal, ROLLOUT, SESSION, desk_steps(), tmp_path / "first")
        again = pack_again(journal, ROLLOUT, SESSION, tmp_path / "again")
    assert first.folder != again.folder
    rundowns = [(one.folder / "data" / "rundown.json").read_bytes() for one in (first, again)]
    assert rundowns[0] == rundowns[1]
    assert () == verify_evidence(again.folder).findings


@pytest.mark.parametrize(("left", "after"), [(1, False), (1, True), (2, False)])
async def test_death_at_an_entry_of_the_making_leaves_a_pack_that_is_made_again(
    tmp_path: Path, clock: ManualClock, left: int, after: bool
) -> None:
    """Before and after it was begun, and when it was whole and nobody had been told."""
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
    dying = DyingJournal.dying(tmp_path / "work", clock, left, after=after)
    with pytest.raises(Dies), dying:
        pack_rollout(dying, ROLLOUT, tmp_path / "pack", clock)
    pack = packed(tmp_path, clock)
    report = verify_evidence(pack.folder)
    assert ((), pack.seal) == (report.findings, report.seal)
    assert not (tmp_path / "pack.partial").exists()


async def test_death_while_the_folder_is_written_leaves_one_that_is_made_again(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Dies

    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
    with monkeypatch.context() as patch:
        patch.setattr("hkex_ops.flows.pack_rollout.add_summary", dies)
        with pytest.raises(Dies):
            packed(tmp_path, clock)
    assert (tmp_path / "pack.partial").exists()
    assert () == verify_evidence(packed(tmp_path, clock).folder).findings
    assert not (tmp_path / "pack.partial").exists()


async def test_a_folder_that_somebody_else_left_half_done_is_not_touched(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
    (tmp_path / "pack.partial").mkdir()
    (tmp_path / "pack.partial" / "theirs").write_text("mine")
    with pytest.raises(StoreError, match=r"pack\.partial: is there already"):
        packed(tmp_path, clock)
    assert "mine" == (tmp_path / "pack.partial" / "theirs").read_text()


async def test_listings_of_two_attempts_stand_side_by_side(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        for attempt in (1, 2):
            await work(journal, clock, asker=Clerk([done()]), hands=FakeHands([StepState.UNKNOWN]))
            kept = f"session-1/{attempt}/listings/01.json"
            sealed = journal.keep(kept, f'{{"attempt":{attempt}}}'.encode())
            told = {"session": "session-1", "attempt": attempt, "path": "listings/01.json"}
            journal.record("file-kept", {**told, "kept": kept, "sha256": sealed})
            await work(journal, clock, asker=Clerk([done()]))
            pack_session(journal, ROLLOUT, SESSION, desk_steps(), tmp_path / f"pack-{attempt}")
    data = packed(tmp_path, clock).folder / "data"
    assert [b'{"attempt":1}', b'{"attempt":2}'] == [
        (data / "listings" / f"session-1-{attempt}" / "01.json").read_bytes() for attempt in (1, 2)
    ]


async def test_the_verdict_is_that_of_the_worst_session(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
        [session] = worked_sessions(ROLLOUT, journal.entries())
        assert session.attempt is not None
        assert desk_steps() != steps_of(ROLLOUT, SESSION, session.attempt)  # nobody's, there
    assert Verdict.PASSED is rollout_verdict([session])
    assert Verdict.WAITING is rollout_verdict([])
    earlier = attrs.evolve(session, attempt=None)
    assert Verdict.PASSED is rollout_verdict([earlier, session])


# -- which form belongs to which session ------------------------------------------------------


def form(**more: object) -> Form:
    field = FormField("name", "Name", FieldKind.TEXT)
    plainly = Form("f", "F", "A", "p", "x", "email", "y", (field,), SESSION.source)
    return attrs.evolve(plainly, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (form(valid=Window(Bound(OPENS), Bound(CLOSES))), [True, False]),
        (form(valid=Window(Bound(OPENS), Bound(CLOSES + 3 * HOUR))), [True, True]),
        (form(valid=Window(Bound(CLOSES), Bound(CLOSES + 3 * HOUR))), [False, True]),
        (form(due=Bound(CLOSES)), [True, False]),
        (form(due=Bound(CLOSES + 3 * HOUR)), [False, True]),
        (form(due=Bound(OPENS)), [True, True]),
        (form(), [True, True]),
    ],
)
def test_a_form_belongs_to_the_session_that_it_is_for(one: Form, expected: list[bool]) -> None:
    later = Window(Bound(CLOSES + HOUR), Bound(CLOSES + 2 * HOUR))
    second = attrs.evolve(SESSION, id="session-2", window=later)
    rollout = attrs.evolve(ROLLOUT, sessions=(SESSION, second), forms=(one,))
    assert expected == [serves(one, session, rollout) for session in rollout.sessions]
