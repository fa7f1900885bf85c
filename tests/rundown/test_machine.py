"""The step machine as event lists: what goes in, at what time, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import attrs
import pytest

from hkex_ops.errors import UsageError
from hkex_ops.model import Bound, Certainty, Window
from hkex_ops.rundown import (
    TRANSITIONS,
    Abort,
    Doubt,
    Fail,
    Lack,
    Pass,
    Rundown,
    RundownEvent,
    RundownStep,
    SessionAborted,
    SessionClosed,
    SessionOpened,
    Skip,
    Start,
    StepFinished,
    StepInput,
    StepRefused,
    StepResult,
    StepSkipped,
    StepStarted,
    StepState,
)
from tests.rundown.steps import (
    CHECK,
    FETCH,
    FIRST_CLOSES,
    FIRST_OPENS,
    FREE,
    LOG_IN,
    LOG_OUT,
    SECOND_CLOSES,
    SECOND_OPENS,
    STEPS,
    TICK,
    hkt,
)

BY = "the operator"

INPUTS: Mapping[type[StepInput], Callable[[RundownStep], StepInput]] = {
    Start: Start,
    Pass: Pass,
    Fail: lambda step: Fail(step, "refused"),
    Doubt: lambda step: Doubt(step, "no snapshot"),
    Lack: lambda step: Lack(step, "no compiler: install gcc"),
    Skip: lambda step: Skip(step, "not today"),
}

# The whole table, written down a second time: what is not here is a fault of the caller.
ALLOWED: Mapping[tuple[StepState, type[StepInput]], StepState] = {
    (StepState.WAITING, Start): StepState.RUNNING,
    (StepState.FAILED, Start): StepState.RUNNING,
    (StepState.UNKNOWN, Start): StepState.RUNNING,
    (StepState.RUNNING, Pass): StepState.PASSED,
    (StepState.RUNNING, Fail): StepState.FAILED,
    (StepState.RUNNING, Doubt): StepState.UNKNOWN,
    (StepState.RUNNING, Lack): StepState.UNAVAILABLE,
    (StepState.UNAVAILABLE, Start): StepState.RUNNING,
    (StepState.UNAVAILABLE, Skip): StepState.SKIPPED,
    (StepState.WAITING, Skip): StepState.SKIPPED,
    (StepState.RUNNING, Skip): StepState.SKIPPED,
    (StepState.FAILED, Skip): StepState.SKIPPED,
    (StepState.UNKNOWN, Skip): StepState.SKIPPED,
}


def standing(state: StepState) -> Rundown:
    """A rundown of one step that stands in ``state``."""
    rundown = Rundown([FREE])
    if state is StepState.RUNNING:
        rundown.handle(Start(FREE), hkt(18))
    else:
        rundown.restore({"afterwards/fetch": state.value})
    return rundown


@pytest.mark.parametrize("kind", list(INPUTS), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", list(StepState))
def test_every_input_in_every_state_moves_the_step_or_is_refused(
    state: StepState, kind: type[StepInput]
) -> None:
    rundown = standing(state)
    given = INPUTS[kind](FREE)
    after = ALLOWED.get((state, kind))
    if after is None:
        with pytest.raises(UsageError, match=f"cannot {kind.__name__.lower()} step fetch"):
            rundown.handle(given, hkt(18))
        assert state is rundown.states[FREE]
        return
    [event] = rundown.handle(given, hkt(18))
    assert after is rundown.states[FREE]
    assert isinstance(event, StepStarted | StepFinished | StepSkipped)
    assert (hkt(18), FREE) == (event.at, event.step)


def test_the_table_is_the_whole_truth_about_steps() -> None:
    assert ALLOWED == {pair: to for pair, to in TRANSITIONS.items() if pair[1] in INPUTS}


def test_a_session_worked_well_tells_it_in_order() -> None:
    rundown = Rundown([LOG_IN, LOG_OUT])
    minute = timedelta(minutes=1)
    told: list[RundownEvent] = []
    for given, at in (
        (Start(LOG_IN), FIRST_OPENS),
        (Pass(LOG_IN, "logged in", {"host": "127.0.0.1"}), FIRST_OPENS + minute),
        (Start(LOG_OUT), FIRST_OPENS + minute),
        (Pass(LOG_OUT), FIRST_OPENS + 2 * minute),
    ):
        told += rundown.handle(given, at)
    told += rundown.poll(FIRST_CLOSES)
    assert [
        SessionOpened(FIRST_OPENS, "session-1"),
        StepStarted(FIRST_OPENS, LOG_IN),
        StepFinished(
            FIRST_OPENS + minute, LOG_IN, StepState.PASSED, "logged in", {"host": "127.0.0.1"}
        ),
        StepStarted(FIRST_OPENS + minute, LOG_OUT),
        StepFinished(FIRST_OPENS + 2 * minute, LOG_OUT, StepState.PASSED, "", {}),
        SessionClosed(FIRST_CLOSES, "session-1", ()),
    ] == told
    assert rundown.passed


def test_a_failed_step_may_be_tried_again_and_pass() -> None:
    rundown = Rundown([FREE])
    told: list[RundownEvent] = []
    for given in (Start(FREE), Fail(FREE, "refused", {"code": 3}), Start(FREE), Pass(FREE, "done")):
        told += rundown.handle(given, hkt(18))
    assert [
        StepStarted(hkt(18), FREE),
        StepFinished(hkt(18), FREE, StepState.FAILED, "refused", {"code": 3}),
        StepStarted(hkt(18), FREE),
        StepFinished(hkt(18), FREE, StepState.PASSED, "done", {}),
    ] == told
    assert rundown.passed


def test_a_doubt_is_told_as_unknown_and_a_skip_with_its_reason() -> None:
    rundown = Rundown([LOG_IN, LOG_OUT])
    at = FIRST_OPENS
    rundown.handle(Start(LOG_IN), at)
    assert (StepFinished(at, LOG_IN, StepState.UNKNOWN, "no snapshot", {}),) == rundown.handle(
        Doubt(LOG_IN, "no snapshot"), at
    )
    assert (StepSkipped(at, LOG_OUT, "not today"),) == rundown.handle(
        Skip(LOG_OUT, "not today"), at
    )


# -- windows --------------------------------------------------------------------------------------


def test_a_step_is_refused_before_its_window_and_stays_as_it_was() -> None:
    rundown = Rundown(STEPS)
    at = FIRST_OPENS - TICK
    expected = StepRefused(at, LOG_IN, "session-1 opens at 2023-04-15T14:30:00+08:00")
    assert (expected,) == rundown.handle(Start(LOG_IN), at)
    assert StepState.WAITING is rundown.states[LOG_IN]


def test_a_step_is_refused_from_the_first_instant_after_its_window() -> None:
    rundown = Rundown([LOG_IN])
    expected = StepRefused(FIRST_CLOSES, LOG_IN, "session-1 closed at 2023-04-15T15:30:00+08:00")
    assert (
        SessionOpened(FIRST_CLOSES, "session-1"),
        SessionClosed(FIRST_CLOSES, "session-1", ("log-in",)),
        expected,
    ) == rundown.handle(Start(LOG_IN), FIRST_CLOSES)
    assert (expected,) == rundown.handle(Start(LOG_IN), FIRST_CLOSES)


@pytest.mark.parametrize("at", [FIRST_OPENS, FIRST_CLOSES - TICK], ids=["first", "last"])
def test_a_step_starts_from_the_first_to_the_last_instant_of_its_window(at: datetime) -> None:
    rundown = Rundown([LOG_IN])
    assert (SessionOpened(at, "session-1"), StepStarted(at, LOG_IN)) == rundown.handle(
        Start(LOG_IN), at
    )


def test_a_step_without_a_window_starts_at_any_time() -> None:
    for at in (FIRST_OPENS - timedelta(days=1), SECOND_CLOSES + timedelta(days=1)):
        assert (StepStarted(at, FREE),) == Rundown([FREE]).handle(Start(FREE), at)


def test_a_step_whose_window_the_paper_leaves_unknown_is_refused() -> None:
    unknown = Bound(None, Certainty.UNKNOWN)
    step = attrs.evolve(LOG_IN, window=Window(unknown, unknown))
    rundown = Rundown([step])
    refused = rundown.handle(Start(step), FIRST_OPENS)[-1]
    assert (
        StepRefused(FIRST_OPENS, step, "the paper does not say when session-1 is held") == refused
    )
    assert StepState.WAITING is rundown.states[step]


def test_a_session_whose_start_the_paper_leaves_unknown_is_never_told_as_opened() -> None:
    unknown = Bound(None, Certainty.UNKNOWN)
    for until in (unknown, Bound(FIRST_CLOSES)):
        rundown = Rundown([attrs.evolve(LOG_IN, window=Window(unknown, until))])
        assert () == rundown.poll(FIRST_CLOSES - TICK)


def test_a_session_whose_end_alone_is_unknown_opens_at_its_start() -> None:
    window = Window(Bound(FIRST_OPENS), Bound(None, Certainty.UNKNOWN))
    rundown = Rundown([attrs.evolve(LOG_IN, window=window)])
    assert () == rundown.poll(FIRST_OPENS - TICK)
    assert (SessionOpened(FIRST_OPENS, "session-1"),) == rundown.poll(FIRST_OPENS)


def test_what_began_in_its_window_may_end_after_it() -> None:
    rundown = Rundown([LOG_IN])
    rundown.handle(Start(LOG_IN), FIRST_CLOSES - TICK)
    assert (
        SessionClosed(FIRST_CLOSES, "session-1", ("log-in",)),
        StepFinished(FIRST_CLOSES, LOG_IN, StepState.PASSED, "", {}),
    ) == rundown.handle(Pass(LOG_IN), FIRST_CLOSES)


def test_sessions_open_and_close_once_each() -> None:
    rundown = Rundown(STEPS)
    moments = [
        FIRST_OPENS - TICK,
        FIRST_OPENS,
        FIRST_OPENS + TICK,
        FIRST_CLOSES,
        SECOND_OPENS,
        SECOND_CLOSES,
        SECOND_CLOSES + timedelta(days=1),
    ]
    assert [
        (),
        (SessionOpened(FIRST_OPENS, "session-1"),),
        (),
        (SessionClosed(FIRST_CLOSES, "session-1", ("log-in", "log-out")),),
        (SessionOpened(SECOND_OPENS, "session-2"),),
        (SessionClosed(SECOND_CLOSES, "session-2", ("fetch",)),),
        (),
    ] == [rundown.poll(moment) for moment in moments]


def test_a_session_that_came_and_went_between_two_looks_is_told_all_the_same() -> None:
    assert (
        SessionOpened(SECOND_OPENS, "session-1"),
        SessionClosed(SECOND_OPENS, "session-1", ("log-in", "log-out")),
        SessionOpened(SECOND_OPENS, "session-2"),
    ) == Rundown(STEPS).poll(SECOND_OPENS)


def test_a_session_closes_with_the_steps_that_were_not_done() -> None:
    rundown = Rundown([CHECK, LOG_IN, LOG_OUT])
    rundown.handle(Start(LOG_IN), FIRST_OPENS)
    rundown.handle(Fail(LOG_IN, "refused"), FIRST_OPENS)
    rundown.handle(Start(LOG_OUT), FIRST_OPENS)
    assert (SessionClosed(FIRST_CLOSES, "session-1", ("log-out",)),) == rundown.poll(FIRST_CLOSES)


def test_an_error_swallows_no_event() -> None:
    rundown = Rundown([LOG_IN])
    with pytest.raises(UsageError):
        rundown.handle(Pass(LOG_IN), FIRST_OPENS)
    assert (SessionOpened(FIRST_OPENS, "session-1"),) == rundown.poll(FIRST_OPENS)


# -- what the whole came to -----------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in StepState if state is not StepState.PASSED])
def test_a_rundown_with_one_step_that_did_not_pass_did_not_pass(state: StepState) -> None:
    rundown = Rundown([CHECK, FREE])
    rundown.restore({"session-1/check": "passed", "afterwards/fetch": state.value})
    assert not rundown.passed


def test_steps_stand_in_their_order() -> None:
    assert list(STEPS) == list(Rundown(STEPS).states)


def test_a_rundown_without_steps_is_none() -> None:
    with pytest.raises(UsageError, match="without steps proves nothing"):
        Rundown([])


@pytest.mark.parametrize(
    "step",
    [
        attrs.evolve(FREE, session="after/wards"),
        attrs.evolve(FREE, id="fetch/all"),
        attrs.evolve(FREE, session=""),
        attrs.evolve(FREE, id=""),
    ],
)
def test_a_step_has_names_that_make_one_key_only(step: RundownStep) -> None:
    with pytest.raises(UsageError, match="both names are there and bear no slash"):
        Rundown([step])


def test_two_steps_of_one_session_cannot_bear_one_id() -> None:
    with pytest.raises(UsageError, match="the same id"):
        Rundown([LOG_IN, attrs.evolve(LOG_IN, text="log in again")])
    Rundown([FETCH, FREE])


def test_a_step_of_another_rundown_is_refused() -> None:
    with pytest.raises(UsageError, match="belongs to another rundown"):
        Rundown([CHECK]).handle(Start(LOG_IN), FIRST_OPENS)


# -- what a person does ---------------------------------------------------------------------------


def test_what_a_person_did_bears_the_persons_name() -> None:
    step = attrs.evolve(FREE, by_person=True)
    rundown = Rundown([step])
    rundown.handle(Start(step), hkt(18))
    for given in (Pass(step), Fail(step, "no"), Doubt(step, "?")):
        with pytest.raises(UsageError, match="say who did it"):
            rundown.handle(given, hkt(18))
    expected = StepFinished(hkt(18), step, StepState.PASSED, "", {}, by=BY)
    assert (expected,) == rundown.handle(Pass(step, by=BY), hkt(18))


def test_an_aborted_session_keeps_what_was_done_and_abandons_the_rest() -> None:
    rundown = Rundown(STEPS)
    rundown.handle(Start(CHECK), FIRST_OPENS)
    rundown.handle(Pass(CHECK), FIRST_OPENS)
    rundown.handle(Start(LOG_IN), FIRST_OPENS)
    expected = SessionAborted(FIRST_OPENS, "session-1", "storm", BY, ("log-in", "log-out"))
    assert (expected,) == rundown.handle(Abort("session-1", "storm", BY), FIRST_OPENS)
    assert [
        StepState.PASSED,
        StepState.ABANDONED,
        StepState.ABANDONED,
        StepState.WAITING,
        StepState.WAITING,
    ] == list(rundown.states.values())
    assert {"session-1"} == rundown.aborted
    assert not rundown.passed


def test_nothing_more_happens_in_an_aborted_session() -> None:
    rundown = Rundown(STEPS)
    rundown.handle(Abort("session-1", "storm", BY), hkt(12))
    for given in (Start(LOG_IN), Skip(LOG_IN, "no")):
        with pytest.raises(UsageError, match="its session was aborted"):
            rundown.handle(given, FIRST_OPENS)
    with pytest.raises(UsageError, match="was aborted already"):
        rundown.handle(Abort("session-1", "again", BY), FIRST_OPENS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Abort("session-9", "storm", BY), "belongs to another rundown"),
        (Abort("session-1", "", BY), "by a person, for a reason"),
        (Abort("session-1", "storm", ""), "by a person, for a reason"),
    ],
)
def test_an_abort_names_a_session_a_person_and_a_reason(given: Abort, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Rundown(STEPS).handle(given, FIRST_OPENS)


# -- kept and taken up again ----------------------------------------------------------------------


def test_a_snapshot_is_plain_words_and_stands_again() -> None:
    rundown = Rundown(STEPS)
    rundown.handle(Skip(CHECK, "done by phone"), FIRST_OPENS)
    rundown.handle(Start(LOG_IN), FIRST_OPENS)
    rundown.handle(Pass(LOG_IN), FIRST_OPENS)
    snapshot = rundown.snapshot()
    assert {
        "session-1/check": "skipped",
        "session-1/log-in": "passed",
        "session-1/log-out": "waiting",
        "session-2/fetch": "waiting",
        "afterwards/fetch": "waiting",
        "session-1": "opened",
    } == snapshot
    again = Rundown(STEPS)
    again.restore(snapshot)
    assert rundown.states == again.states


def test_a_step_that_was_running_is_waiting_again() -> None:
    rundown = standing(StepState.RUNNING)
    again = Rundown([FREE])
    again.restore(rundown.snapshot())
    assert StepState.WAITING is again.states[FREE]
    assert (StepStarted(hkt(19), FREE),) == again.handle(Start(FREE), hkt(19))


def test_what_was_told_of_a_session_is_not_told_again_by_whoever_takes_over() -> None:
    rundown = Rundown(STEPS)
    rundown.poll(SECOND_OPENS)
    snapshot = rundown.snapshot()
    assert ("opened closed", "opened") == (snapshot["session-1"], snapshot["session-2"])
    again = Rundown(STEPS)
    again.restore(snapshot)
    assert () == again.poll(SECOND_OPENS)
    assert (SessionClosed(SECOND_CLOSES, "session-2", ("fetch",)),) == again.poll(SECOND_CLOSES)


def test_a_snapshot_that_says_nothing_of_its_sessions_is_understood() -> None:
    rundown = Rundown([FREE, LOG_IN])
    rundown.restore({"afterwards/fetch": "passed", "session-1/log-in": "waiting"})
    assert (SessionOpened(FIRST_OPENS, "session-1"),) == rundown.poll(FIRST_OPENS)


def test_a_session_with_an_abandoned_step_was_aborted_whatever_else_the_snapshot_says() -> None:
    rundown = Rundown([FREE])
    rundown.restore({"afterwards/fetch": "abandoned"})
    assert {"afterwards"} == rundown.aborted
    with pytest.raises(UsageError, match="afterwards was aborted already"):
        rundown.handle(Abort("afterwards", "storm", BY), FIRST_OPENS)


def test_an_aborted_session_stays_aborted() -> None:
    rundown = Rundown(STEPS)
    rundown.handle(Abort("session-1", "storm", BY), hkt(12))
    again = Rundown(STEPS)
    again.restore(rundown.snapshot())
    assert (rundown.aborted, rundown.states) == (again.aborted, again.states)


@pytest.mark.parametrize(
    ("snapshot", "message"),
    [
        ({}, "of another rundown"),
        ({"session-1/check": "passed"}, "of another rundown"),
        ({"afterwards/fetch": "passed", "session-1/check": "passed"}, "of another rundown"),
        ({"afterwards/fetch": "passed", "session-1": "aborted"}, "of another rundown"),
        (
            {"afterwards/fetch": "passed", "afterwards": "opened dancing"},
            "'opened dancing' of session afterwards, which is no state",
        ),
        ({"afterwards/fetch": "dancing"}, "'dancing' of step afterwards/fetch, which is no state"),
    ],
)
def test_a_snapshot_of_another_rundown_changes_nothing(
    snapshot: dict[str, str], message: str
) -> None:
    rundown = standing(StepState.PASSED)
    with pytest.raises(UsageError, match=message):
        rundown.restore(snapshot)
    assert StepState.PASSED is rundown.states[FREE]


def test_one_bad_word_in_a_snapshot_leaves_every_step_where_it_stood() -> None:
    rundown = Rundown([CHECK, FREE])
    with pytest.raises(UsageError, match="no state"):
        rundown.restore({"session-1/check": "passed", "afterwards/fetch": "dancing"})
    assert {StepState.WAITING} == set(rundown.states.values())


# -- what work came to ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (StepState.PASSED, Pass(FREE, "found", {"n": 1})),
        (StepState.FAILED, Fail(FREE, "found", {"n": 1})),
        (StepState.UNKNOWN, Doubt(FREE, "found", {"n": 1})),
        (StepState.SKIPPED, Skip(FREE, "found")),
    ],
)
def test_a_result_is_told_to_the_machine_as_an_input(state: StepState, expected: StepInput) -> None:
    assert expected == StepResult(state, "found", {"n": 1}).told(FREE)


@pytest.mark.parametrize("state", [StepState.WAITING, StepState.RUNNING, StepState.ABANDONED])
def test_no_work_comes_to_a_state_that_is_no_end(state: StepState) -> None:
    with pytest.raises(UsageError, match=f"fetch {state}"):
        StepResult(state, "found").told(FREE)
