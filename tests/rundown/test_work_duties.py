"""Checklist and way back: what counts is the last word, and nothing is said ahead of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import HONG_KONG, Rollout
from hkex_ops.rundown import (
    CHECKLIST_TRANSITIONS,
    FALLBACK_TRANSITIONS,
    AnswerNo,
    AnswerYes,
    Attach,
    Attached,
    Checklist,
    Decide,
    Fallback,
    FallbackState,
    Progress,
    Tick,
    TickStanding,
    machines_page,
)

DOCS = Path(__file__).parents[2] / "docs"
SEED = 20190506


def hkt(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG)


CUTOVER = hkt("2019-05-04T12:00")
LAUNCH = hkt("2019-05-06T10:00")


@pytest.fixture(scope="module")
def rollouts() -> dict[str, Rollout]:
    return dict(load_rollouts(load_calendar()))


@pytest.fixture
def hkats(rollouts: dict[str, Rollout]) -> Rollout:
    return rollouts["hkats-dcass-2019"]


def progress(checklist: Checklist, at: datetime) -> dict[int, Progress]:
    return {one.item.number: one.progress for one in checklist.items(at)}


# -- checklist ---------------------------------------------------------------------------------


def test_unanswered_items_are_coming_then_open_then_overdue(hkats: Rollout) -> None:
    checklist = Checklist(hkats)
    before, during, after = (
        progress(checklist, hkt(at))[14]
        for at in ("2019-05-03T12:00", "2019-05-04T12:00", "2019-05-05T00:00")
    )
    assert [Progress.COMING, Progress.OPEN, Progress.OVERDUE] == [before, during, after]


def test_yes_ticks_an_item_off_and_no_leaves_it_open(hkats: Rollout) -> None:
    checklist = Checklist(hkats)
    checklist.handle(AnswerYes(14, "duty desk", CUTOVER), CUTOVER)
    checklist.handle(AnswerNo(13, "duty desk", CUTOVER, "two servers left"), CUTOVER)
    found = progress(checklist, CUTOVER)
    assert (Progress.DONE, Progress.OPEN) == (found[14], found[13])
    found = progress(checklist, LAUNCH)
    assert (Progress.DONE, Progress.OVERDUE) == (found[14], found[13])


def test_a_correction_follows_the_answer_that_it_corrects(hkats: Rollout) -> None:
    checklist = Checklist(hkats)
    checklist.handle(AnswerYes(14, "duty desk", CUTOVER), CUTOVER)
    told = checklist.handle(AnswerNo(14, "night desk", CUTOVER), CUTOVER)
    assert (Tick.YES, Tick.NO) == (getattr(told, "before", None), getattr(told, "answer", None))
    assert Progress.OPEN is progress(checklist, CUTOVER)[14]


def test_a_file_is_put_to_an_item_and_answers_nothing(hkats: Rollout) -> None:
    checklist = Checklist(hkats)
    file = Attached("services.png", "attachments/0", 1, "0" * 64)
    checklist.handle(Attach(14, "duty desk", CUTOVER, file), CUTOVER)
    (one,) = [one for one in checklist.items(CUTOVER) if one.attached]
    assert (14, Progress.OPEN) == (one.item.number, one.progress)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (AnswerYes(23, "duty desk", CUTOVER), "no checklist item 23; items 1 to 22"),
        (AnswerYes(14, " ", CUTOVER), "say who"),
        (AnswerYes(14, "duty desk", CUTOVER + timedelta(seconds=1)), "ahead of time"),
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(
    hkats: Rollout, given: AnswerYes, message: str
) -> None:
    checklist = Checklist(hkats)
    before = checklist.snapshot()
    with pytest.raises(UsageError, match=message):
        checklist.handle(given, CUTOVER)
    assert before == checklist.snapshot()


def test_one_group_is_shown_and_an_unknown_one_refused(hkats: Rollout) -> None:
    checklist = Checklist(hkats)
    assert [12, 13, 14] == [one.item.number for one in checklist.items(CUTOVER, "C")]
    with pytest.raises(UsageError, match="groups: A, B, C, D, E"):
        checklist.items(CUTOVER, "F")


def test_a_rollout_without_a_checklist_says_so(rollouts: dict[str, Rollout]) -> None:
    with pytest.raises(UsageError, match="rrs-2023 states no checklist"):
        Checklist(rollouts["rrs-2023"])


def test_after_any_answers_an_item_is_done_when_the_last_was_yes(hkats: Rollout) -> None:
    draw = Random(SEED)
    checklist, last = Checklist(hkats), dict[int, type]()
    for _ in range(500):
        kind, number = draw.choice((AnswerYes, AnswerNo)), draw.randrange(1, 23)
        checklist.handle(kind(number, "duty desk", LAUNCH), LAUNCH)
        last[number] = kind
        done = {n for n, one in progress(checklist, LAUNCH).items() if one is Progress.DONE}
        assert {n for n, kind in last.items() if kind is AnswerYes} == done


def test_every_answer_is_taken_from_every_state() -> None:
    assert {(state, kind) for state in Tick for kind in (AnswerYes, AnswerNo)} == set(
        CHECKLIST_TRANSITIONS
    )


# -- the way back ------------------------------------------------------------------------------


def test_a_fallback_is_decided_in_the_stabilisation_period(hkats: Rollout) -> None:
    fallback = Fallback(hkats)
    fallback.handle(Decide("duty desk", "HKEX triggered it by phone", LAUNCH), LAUNCH)
    assert FallbackState.DECIDED is fallback.state
    assert fallback.decided is not None
    assert LAUNCH == fallback.decided.at


@pytest.mark.parametrize("at", ["2019-05-05T10:00", "2019-05-18T01:45"])
def test_outside_its_window_a_fallback_is_denied_in_the_papers_words(
    hkats: Rollout, at: str
) -> None:
    fallback = Fallback(hkats)
    late = hkt("2019-06-01T00:00")
    with pytest.raises(Denied, match="as a last resort") as denied:
        fallback.handle(Decide("duty desk", "trouble", hkt(at)), late)
    assert str(fallback.plan.source) == denied.value.source
    assert FallbackState.READY is fallback.state


def test_a_fallback_is_decided_once(hkats: Rollout) -> None:
    fallback = Fallback(hkats)
    fallback.handle(Decide("duty desk", "HKEX triggered it", LAUNCH), LAUNCH)
    with pytest.raises(UsageError, match="was decided already, at 2019-05-06 10:00"):
        fallback.handle(Decide("night desk", "again", LAUNCH), LAUNCH)


def test_what_stands_is_ticked_before_and_after_the_decision(hkats: Rollout) -> None:
    fallback = Fallback(hkats)
    fallback.handle(TickStanding("passwords", True, "duty desk", LAUNCH), LAUNCH)
    fallback.handle(Decide("duty desk", "HKEX triggered it", LAUNCH), LAUNCH)
    fallback.handle(TickStanding("passwords", False, "night desk", LAUNCH, "one lost"), LAUNCH)
    assert not fallback.ticked["passwords"].stands
    assert FallbackState.DECIDED is fallback.state


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Decide("", "trouble", LAUNCH), "say who"),
        (Decide("duty desk", "", LAUNCH), "for a reason: say which"),
        (Decide("duty desk", "trouble", LAUNCH + timedelta(days=1)), "ahead of time"),
        (TickStanding("pasword", True, "duty desk", LAUNCH), "it names network-gateways, "),
    ],
)
def test_a_decision_or_tick_that_makes_no_sense_is_refused(
    hkats: Rollout, given: Decide | TickStanding, message: str
) -> None:
    fallback = Fallback(hkats)
    with pytest.raises(UsageError, match=message):
        fallback.handle(given, LAUNCH)
    assert (FallbackState.READY, {}) == (fallback.state, fallback.ticked)


def test_a_rollout_without_a_way_back_says_so(rollouts: dict[str, Rollout]) -> None:
    with pytest.raises(UsageError, match="rrs-2023 states no fallback plan"):
        Fallback(rollouts["rrs-2023"])


def test_only_a_second_decision_is_not_in_the_table() -> None:
    every = {(state, kind) for state in FallbackState for kind in (Decide, TickStanding)}
    assert {(FallbackState.DECIDED, Decide)} == every - set(FALLBACK_TRANSITIONS)


# -- the reference -----------------------------------------------------------------------------


def test_the_reference_page_is_drawn_from_the_tables_as_they_are() -> None:
    page = DOCS / "reference" / "machines.md"
    assert machines_page() == page.read_text(encoding="utf-8")
