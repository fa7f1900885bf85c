"""The contingency path as event lists: when it begins, what it publishes, when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hkex_ops.errors import UsageError
from hkex_ops.index.contingency import (
    CONTINGENCY_TRANSITIONS,
    Contingency,
    ContingencyEvent,
    ContingencyInput,
    ContingencyMode,
    ContingencyOrdered,
    ContingencyReleased,
    EngineHeard,
    ModeChanged,
    PeerPublished,
    PublicationHeld,
    RealTimeResumed,
    SnapshotDue,
)
from hkex_ops.index.rules import ContingencyRules, IndexRules
from hkex_ops.model import SiteRole
from tests.index.ticking import after, session, time_ns

PRIMARY = SiteRole.PRIMARY
STANDBY, ACTIVE, ORDERED = ContingencyMode


def system(*, second: bool = False, rules: ContingencyRules | None = None) -> Contingency:
    """A contingency system while ticks are due; every two seconds, settling after three."""
    contingency = Contingency("first", PRIMARY, rules, second=second)
    contingency.handle(session(3), after(0))
    return contingency


def told(
    contingency: Contingency, *inputs: tuple[float, ContingencyInput]
) -> list[ContingencyEvent]:
    """What it tells when inputs come so many seconds after the start."""
    return [event for at, one in inputs for event in contingency.handle(one, after(at))]


def polled(contingency: Contingency, begin: int, end: int) -> list[ContingencyEvent]:
    """What it tells when it is polled every second."""
    return [event for at in range(begin, end + 1) for event in contingency.poll(after(at))]


def due(events: Sequence[ContingencyEvent]) -> list[tuple[int, int]]:
    """When values were due and for which moment, both in seconds after the start."""
    return [
        (int((one.at - after(0)).total_seconds()), (one.time_ns - time_ns(0)) // 10**9)
        for one in events
        if isinstance(one, SnapshotDue)
    ]


def modes(events: Sequence[ContingencyEvent]) -> list[tuple[ContingencyMode, str, str]]:
    """Every change of mode: what it became, why, and by whom."""
    return [(one.after, one.reason, one.by) for one in events if isinstance(one, ModeChanged)]


def test_two_silent_intervals_begin_it_and_the_first_value_goes_out_at_once() -> None:
    """It stands for the last tick of which everything is known; then every fifteen seconds."""
    contingency = system()
    told(contingency, (8.1, EngineHeard("a", time_ns(8))))
    events = polled(contingency, 9, 50)
    reason = f"all engines silent for 2 intervals, since {after(8.1).isoformat()}"
    assert ModeChanged(after(13), "first", PRIMARY, STANDBY, ACTIVE, reason) == events[0]
    assert [(13, 10), (18, 15), (33, 30), (48, 45)] == due(events)


def test_it_is_silent_before_two_intervals_have_passed() -> None:
    """One engine that speaks is enough."""
    contingency = system()
    told(contingency, (2, EngineHeard("a", time_ns(2))), (5.9, EngineHeard("c", time_ns(4))))
    assert [] == polled(contingency, 6, 9)


def test_the_interval_is_a_setting() -> None:
    """Fifteen minutes in 2010."""
    contingency = system(rules=ContingencyRules(interval_s=900))
    assert [(4, 0), (903, 900), (1803, 1800)] == due(polled(contingency, 1, 1_900))


def test_after_a_late_look_only_the_newest_value_is_published() -> None:
    """What was missed is not made up afterwards; a value of now is what users need."""
    contingency = system()
    told(contingency, (0, ContingencyOrdered("the desk", "drill")))
    assert [(70, 60)] == due(contingency.poll(after(70)))


def test_real_time_publication_ends_it() -> None:
    """And the engines have their two intervals again."""
    contingency = system()
    polled(contingency, 1, 20)
    events = told(contingency, (21, RealTimeResumed(time_ns(20))))
    assert [STANDBY] == [mode for mode, *_ in modes(events)]
    assert [] == polled(contingency, 22, 24)
    assert [ACTIVE] == [mode for mode, *_ in modes(polled(contingency, 25, 26))]


def test_publication_that_is_held_begins_it_whoever_speaks() -> None:
    """Engines that speak and are not let out are no index."""
    contingency = system()
    events = told(
        contingency, (8, EngineHeard("a", time_ns(8))), (9, PublicationHeld("engine a differs"))
    )
    assert [(ACTIVE, "engine a differs", "")] == modes(events)
    assert [(9, 6)] == due(events)


def test_a_persons_order_begins_it_and_only_a_person_releases_it() -> None:
    """Whatever the engines do, and whether or not ticks are due."""
    contingency = system()
    events = told(
        contingency,
        (8, ContingencyOrdered("the desk", "engines differ")),
        (9, EngineHeard("a", time_ns(8))),
        (10, RealTimeResumed(time_ns(10))),
        (11, ContingencyReleased("the desk", "explained")),
        (12, RealTimeResumed(time_ns(12))),
    )
    assert [
        (ORDERED, "engines differ", "the desk"),
        (ACTIVE, "explained", "the desk"),
        (STANDBY, f"real-time values again from {time_ns(12)}", ""),
    ] == modes(events)


@pytest.mark.parametrize(
    "given",
    [
        ContingencyOrdered("", "drill"),
        ContingencyOrdered("the desk", ""),
        ContingencyReleased("the desk", "nothing was ordered"),
    ],
    ids=["nobody", "no reason", "not ordered"],
)
def test_an_order_that_cannot_be_given_is_refused(given: ContingencyInput) -> None:
    """Nothing has changed."""
    contingency = system()
    with pytest.raises(UsageError):
        contingency.handle(given, after(1))
    assert STANDBY is contingency.mode


def test_outside_trading_nobody_is_silent_and_nothing_is_due() -> None:
    """Over lunch there is no tick to miss; what was begun goes on after it."""
    contingency = system()
    polled(contingency, 1, 5)
    told(contingency, (6, session(103)))
    assert [] == polled(contingency, 7, 60)
    told(contingency, (61, session(3)))
    assert [(63, 60)] == due(polled(contingency, 62, 64))


def test_the_second_system_waits_for_the_first_and_steps_in_where_it_fails() -> None:
    """Two systems at two sites, and one value for a moment."""
    contingency = system(second=True)
    told(contingency, (4, PeerPublished("first", time_ns(0))))
    events = polled(contingency, 4, 20)
    told(contingency, (20, PeerPublished("first", time_ns(15))))
    events += polled(contingency, 21, 60)
    assert [(38, 30), (53, 45)] == due(events)


def test_a_value_of_a_time_to_come_silences_nobody() -> None:
    """Where the feed's clock is hours ahead of ours the newest value stands in for each moment."""
    contingency = system()
    events = polled(contingency, 1, 20)
    told(contingency, (21, PeerPublished("second", time_ns(7200))))
    events += polled(contingency, 22, 60)
    assert [(4, 0), (18, 15), (33, 30), (48, 45)] == due(events)


def test_while_it_publishes_it_publishes_the_close_as_well() -> None:
    """With closing prices, once, when they have had time to come."""
    contingency = system()
    polled(contingency, 1, 5)
    told(contingency, (6, session(105)), (500, session(103)))
    events = polled(contingency, 501, 540)
    assert [(515, 512, True)] == [
        (at, moment, one.closing)
        for one in events
        if isinstance(one, SnapshotDue)
        for [(at, moment)] in [due([one])]
    ]


def test_a_restored_system_goes_on_where_it_stood() -> None:
    """Values that went out do not go out again."""
    contingency = system()
    polled(contingency, 1, 20)
    again = Contingency("first", PRIMARY)
    again.restore(contingency.snapshot())
    assert ACTIVE is again.mode
    assert [(33, 30)] == due(polled(again, 21, 40))


def test_the_table_reaches_every_mode_and_leaves_every_mode() -> None:
    """No mode is a trap, and none is never entered."""
    assert set(ContingencyMode) == set(CONTINGENCY_TRANSITIONS.values())
    assert set(ContingencyMode) == {mode for mode, _ in CONTINGENCY_TRANSITIONS}


def test_intervals_are_those_of_the_index() -> None:
    """Two intervals of fifteen seconds are half a minute."""
    contingency = Contingency("first", PRIMARY, index_rules=IndexRules(interval_s=15), due=True)
    contingency.poll(after(0))
    assert [] == polled(contingency, 1, 29)
    assert [ACTIVE] == [mode for mode, *_ in modes(polled(contingency, 30, 30))]
