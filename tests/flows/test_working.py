"""A session is worked to an end, whatever fails, whoever is away and however often it dies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import Denied, StoreError, UsageError
from hkex_ops.flows.asking import Again, GiveUp, LeaveOut, Said
from hkex_ops.flows.attempts import Worked, latest_attempt
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import Journal, done_in, read_journal
from hkex_ops.flows.pack import pack_session
from hkex_ops.model import Step, StepAction
from hkex_ops.rundown import Rundown, StepResult, StepState, Verdict, snapshot_after
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
    fallible,
    steps_of,
    work,
)

SEED, SAMPLE, LONG = 20230415, 24, 600
MINUTE = timedelta(minutes=1)
MOST_RUNS = 200


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(OPENS)


def opened(folder: Path, clock: ManualClock) -> Journal:
    return Journal.open(folder / "work", ROLLOUT.id, clock=clock)


def outcomes(worked: Worked) -> list[tuple[str, str]]:
    return [(row.step, row.outcome) for row in worked.rows]


def both() -> Clerk:
    return Clerk([done(), done()])


def stopped(worked: Worked) -> tuple[Verdict, str | None]:
    return worked.outcome, worked.waiting_for


# -- one run -----------------------------------------------------------------------------------


async def test_a_session_that_goes_well_passes(tmp_path: Path, clock: ManualClock) -> None:
    hands = FakeHands()
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=both(), hands=hands)
    steps = ["manual", "log-in", "log-out", "manual-2"]
    assert [(step, "passed") for step in steps] == outcomes(worked)
    assert Verdict.PASSED is worked.outcome
    assert ["log-in", "log-out", "close"] == hands.did
    assert {"test-1/session/session-1"} == done_in(tmp_path / "work", ["test-1"])


async def test_without_an_answer_the_session_waits_and_goes_on_later(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        first = await work(journal, clock, asker=Clerk([done()]))
        assert (Verdict.WAITING, "manual-2") == stopped(first)
        assert not first.resumed
        hands = FakeHands()
        second = await work(journal, clock, asker=Clerk([done("night desk")]), hands=hands)
    assert Verdict.PASSED is second.outcome
    assert second.resumed
    assert ["close"] == hands.did
    assert ["duty desk", "", "", "night desk"] == [row.by for row in second.rows]


async def test_a_step_that_fails_is_tried_again(tmp_path: Path, clock: ManualClock) -> None:
    hands = FakeHands([StepState.FAILED])
    clerk = Clerk([done(), done()], [Again("duty desk", "network was back")])
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=clerk, hands=hands)
        started = [entry for entry in journal.entries() if entry.kind == "step-started"]
    assert Verdict.PASSED is worked.outcome
    assert ["log-in", "log-in", "log-out", "close"] == hands.did
    reasons = [
        event["reason"] for entry in started if isinstance(event := entry.body["event"], dict)
    ]
    assert ["", "", "network was back", "", ""] == reasons


async def test_after_a_login_a_retry_begins_with_a_fresh_connection(
    tmp_path: Path, clock: ManualClock
) -> None:
    hands = FakeHands([StepState.PASSED, StepState.FAILED])
    clerk = Clerk([done(), done()], [Again("duty desk", "")])
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=clerk, hands=hands)
    assert ["log-in", "log-out", "afresh", "log-out", "close"] == hands.did


async def test_a_run_that_resumes_after_the_login_begins_with_a_fresh_connection(
    tmp_path: Path, clock: ManualClock
) -> None:
    class DiesAfterLogin(FakeHands):
        async def do(self, step: Step) -> StepResult:
            if step.action is StepAction.LOG_OUT:
                raise Dies
            return await super().do(step)

    with opened(tmp_path, clock) as journal, pytest.raises(Dies):
        await work(journal, clock, asker=Clerk([done()]), hands=DiesAfterLogin())
    hands = FakeHands()
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk([done()]), hands=hands)
    assert ["afresh", "log-out", "close"] == hands.did


async def test_a_step_that_is_left_out_after_a_failure_is_no_pass(
    tmp_path: Path, clock: ManualClock
) -> None:
    clerk = Clerk([done(), done()], [LeaveOut("duty desk", "the exchange said so")])
    hands = FakeHands([StepState.FAILED])
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=clerk, hands=hands)
    assert Verdict.FAILED is worked.outcome
    assert ("log-in", "skipped") == outcomes(worked)[1]
    assert "the exchange said so" == worked.rows[1].found


async def test_a_step_that_does_not_apply_is_left_out_and_the_rest_counts(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Nothing went wrong, and not everything was proven: neither a pass nor a failure."""
    not_for_us = Said(StepState.SKIPPED, "duty desk", None, "not for us")
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=Clerk([done(), not_for_us]))
    assert Verdict.PARTIAL is worked.outcome
    assert ["passed", "passed", "passed", "skipped"] == [row.outcome for row in worked.rows]
    assert {"test-1/session/session-1"} == done_in(tmp_path / "work", ["test-1"])


async def test_an_aborted_session_abandons_what_was_not_come_to(
    tmp_path: Path, clock: ManualClock
) -> None:
    clerk = Clerk([done()], [GiveUp("duty desk", "the site is down")])
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=clerk, hands=FakeHands([StepState.FAILED]))
    assert Verdict.ABORTED is worked.outcome
    assert ["passed", "failed", "abandoned", "abandoned"] == [row.outcome for row in worked.rows]
    assert set() == done_in(tmp_path / "work", ["test-1"])


async def test_what_proves_nothing_is_gone_past_and_is_no_pass(
    tmp_path: Path, clock: ManualClock
) -> None:
    hands = FakeHands([StepState.UNKNOWN])
    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=both(), hands=hands)
    assert (Verdict.FAILED, ("log-in", "unknown")) == (worked.outcome, outcomes(worked)[1])


async def test_an_error_of_the_hands_fails_the_step_in_its_words(
    tmp_path: Path, clock: ManualClock
) -> None:
    class Broken(FakeHands):
        async def do(self, step: Step) -> StepResult:
            raise StoreError("the disk is full", path="archive")

    with opened(tmp_path, clock) as journal:
        worked = await work(journal, clock, asker=Clerk([done()]), hands=Broken())
    assert (Verdict.WAITING, "log-in") == stopped(worked)
    assert "it failed: archive: the disk is full" == worked.why


# -- the window --------------------------------------------------------------------------------


async def test_before_its_window_a_session_is_denied_by_its_paper(
    tmp_path: Path, clock: ManualClock
) -> None:
    early = ManualClock(OPENS - MINUTE)
    with opened(tmp_path, early) as journal:
        with pytest.raises(Denied, match=r"opens at 2023-04-15T14:30.*\(TEST/1, table 1\)"):
            await work(journal, early, asker=both())
        assert () == journal.entries()


async def test_after_its_window_a_session_that_was_never_begun_is_denied(
    tmp_path: Path,
) -> None:
    late = ManualClock(CLOSES)
    with opened(tmp_path, late) as journal:
        with pytest.raises(Denied, match="closed at 2023-04-15T15:30"):
            await work(journal, late, asker=both())
        assert () == journal.entries()


async def test_after_its_window_a_session_that_was_begun_is_finished_honestly(
    tmp_path: Path, clock: ManualClock
) -> None:
    hands = FakeHands([StepState.FAILED])
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk([done()]), hands=hands)
        clock.turn_to(CLOSES)
        late = Clerk([done()], [Again("duty desk", "")])
        worked = await work(journal, clock, asker=late, hands=hands)
    assert Verdict.FAILED is worked.outcome
    assert ["passed", "failed", "refused", "passed"] == [row.outcome for row in worked.rows]


async def test_what_a_person_did_in_time_may_be_told_later(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        clock.turn_to(CLOSES - MINUTE)
        worked = await work(
            journal, clock, asker=Clerk([done(at=OPENS + MINUTE), done(at=OPENS + 2 * MINUTE)])
        )
    assert Verdict.PASSED is worked.outcome
    assert "2023-04-15T14:31:00+08:00" == worked.rows[0].at


async def test_another_audience_cannot_resume_it(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk(), audience="CP")
        with pytest.raises(UsageError, match="was begun for audience CP"):
            await work(journal, clock, asker=Clerk())
        with pytest.raises(Denied, match="is held for CP, not for EP"):
            await work(journal, clock, asker=Clerk(), audience="EP")


# -- again -------------------------------------------------------------------------------------


async def test_a_session_that_passed_is_not_worked_twice(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        first = await work(journal, clock, asker=both())
        pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
        count = len(journal.entries())
        again = await work(journal, clock, asker=Clerk())
        assert count == len(journal.entries())
    assert (first.outcome, first.rows) == (again.outcome, again.rows)


async def test_a_session_that_failed_is_worked_again_once_its_evidence_is_kept(
    tmp_path: Path, clock: ManualClock
) -> None:
    hands = FakeHands([StepState.UNKNOWN])
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both(), hands=hands)
        unpacked = await work(journal, clock, asker=both(), hands=hands)
        assert (1, Verdict.FAILED) == (unpacked.attempt, unpacked.outcome)
        pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "first")
        second = await work(journal, clock, asker=both(), hands=hands)
        assert (2, Verdict.PASSED) == (second.attempt, second.outcome)
        pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "second")
    for name in ("first", "second"):
        assert () == verify_evidence(tmp_path / name).findings


async def test_evidence_of_a_session_that_is_not_over_is_refused(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk())
        with pytest.raises(UsageError, match="is not concluded"):
            pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")


async def test_evidence_is_made_once_and_never_over_something(
    tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / "taken").mkdir()
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
        with pytest.raises(StoreError, match="is there already"):
            pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "taken")
        first = pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
        again = pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "other")
    assert first == again
    assert not (tmp_path / "other").exists()
    assert verify_evidence(tmp_path / "evidence").seal == first.seal


async def test_evidence_whose_making_was_interrupted_is_made_again(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Dies

    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=both())
        with monkeypatch.context() as patch:
            patch.setattr("hkex_ops.flows.pack.add_summary", dies)
            with pytest.raises(Dies):
                pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
        assert (tmp_path / "evidence.partial").exists()
        pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
    assert not (tmp_path / "evidence.partial").exists()
    assert () == verify_evidence(tmp_path / "evidence").findings


async def test_a_listing_that_was_changed_beside_the_journal_becomes_no_evidence(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        await work(journal, clock, asker=Clerk([done()]))
        sealed = journal.keep("session-1/1/listings/a.json", b"{}")
        note = {"session": "session-1", "path": "listings/a.json", "sha256": sealed}
        journal.record("file-kept", {**note, "kept": "session-1/1/listings/a.json"})
        await work(journal, clock, asker=Clerk([done()]))
        journal.keep("session-1/1/listings/a.json", b"[]")
        with pytest.raises(StoreError, match="is not what it was when it was kept"):
            pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
        journal.keep("session-1/1/listings/a.json", b"{}")
        pack_session(journal, ROLLOUT, SESSION, steps_of(), tmp_path / "evidence")
    assert b"{}" == (tmp_path / "evidence/data/listings/a.json").read_bytes()


# -- dying -------------------------------------------------------------------------------------


async def finish(folder: Path, clock: ManualClock) -> Worked:
    """Someone patient ends it: everything answered well, every failure tried again."""
    for _ in range(MOST_RUNS):
        patient = Clerk([done()] * 9, [Again("patient", "again")] * 9)
        with opened(folder, clock) as journal:
            worked = await work(journal, clock, asker=patient)
            if worked.outcome is not Verdict.WAITING:
                pack_session(journal, ROLLOUT, SESSION, steps_of(), folder / "evidence")
                return worked
    raise AssertionError("it never ends")


def require_sound(folder: Path) -> None:
    """The journal reads whole, and a machine stands where its events say."""
    attempt = latest_attempt(read_journal(folder / "work", ROLLOUT.id), SESSION.id)
    if attempt is not None:
        rundown = Rundown([one.step for one in steps_of()])
        rundown.restore(snapshot_after(list(rundown.states), attempt.events))


def require_nothing_twice(folder: Path) -> None:
    """No step began again after it passed or was left out."""
    ended: set[tuple[int, object]] = set()
    attempt = 0
    for entry in read_journal(folder / "work", ROLLOUT.id):
        attempt += entry.kind == "session-begun"
        match entry.kind, entry.body.get("event"):
            case "step-started", {"step": {"id": id}}:
                assert (attempt, id) not in ended
            case "step-finished", {"step": {"id": id}, "state": "passed"}:
                ended.add((attempt, id))
            case "step-skipped", {"step": {"id": id}}:
                ended.add((attempt, id))
            case _:
                pass


async def walk(folder: Path, seed: int) -> None:
    """Anything happens, and a few times the process dies; then someone patient ends it."""
    draw = Random(seed)
    clock = ManualClock(OPENS)
    for _ in range(draw.randrange(1, 6)):
        clerk, hands = fallible(draw, 8)
        journal = DyingJournal.dying(
            folder / "work", clock, draw.randrange(1, 25), after=draw.random() < 0.5
        )
        try:
            with journal:
                worked = await work(journal, clock, asker=clerk, hands=hands)
                if worked.outcome is not Verdict.WAITING:
                    pack_session(
                        journal, ROLLOUT, SESSION, steps_of(), folder / f"evidence-{draw.random()}"
                    )
        except Dies:
            tear(folder, draw)
        require_sound(folder)
        clock.advance(timedelta(minutes=draw.randrange(8)))
    worked = await finish(folder, clock)
    assert worked.outcome not in (Verdict.WAITING, Verdict.INTERRUPTED)
    require_nothing_twice(folder)
    require_evidence(folder)


def require_evidence(folder: Path) -> None:
    """Whatever was packed on the way is whole, and nothing unfinished is left."""
    packs = list(folder.glob("evidence*"))
    assert packs
    for pack in packs:
        assert () == verify_evidence(pack).findings


def tear(folder: Path, draw: Random) -> None:
    """Now and then half a line is on the disk too."""
    path = folder / "work" / ROLLOUT.id / "journal.jsonl"
    if draw.random() < 0.5:
        with path.open("ab") as file:
            file.write(b'{"at":"2023-04-15T14:3'[: draw.randrange(1, 22)])


@pytest.mark.parametrize("run", range(SAMPLE))
async def test_a_random_walk_with_deaths_ends_in_evidence(tmp_path: Path, run: int) -> None:
    await walk(tmp_path, SEED + run)


@pytest.mark.long
async def test_many_random_walks_with_deaths_end_in_evidence(tmp_path: Path) -> None:
    for run in range(SAMPLE, LONG):
        await walk(tmp_path / str(run), SEED + run)


async def test_death_at_every_entry(tmp_path: Path) -> None:
    """Before and after each entry is kept, from the first to the evidence."""
    count = 0
    for after in (False, True):
        for left in range(1, MOST_RUNS):
            folder = tmp_path / f"{left}-{after}"
            clock = ManualClock(OPENS)
            journal = DyingJournal.dying(folder / "work", clock, left, after=after)
            try:
                with journal:
                    await work(journal, clock, asker=both())
                    pack_session(journal, ROLLOUT, SESSION, steps_of(), folder / "evidence")
            except Dies:
                count += 1
            else:
                break
            worked = await finish(folder, clock)
            assert Verdict.PASSED is worked.outcome
            assert () == verify_evidence(folder / "evidence").findings
            require_nothing_twice(folder)
    assert count > 2 * 12
