"""The gateway as event lists: each (index, time) once, first valid wins, and who is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.index.gateway import GATEWAY_TRANSITIONS, Gateway
from hkex_ops.index.gateway_events import (
    EngineDied,
    EngineDisagreed,
    EngineDistrusted,
    EngineFinished,
    EngineLate,
    EnginePunctual,
    EngineReturned,
    EngineStopped,
    EngineTrusted,
    GatewayEvent,
    GatewayInput,
    GatewayState,
    GatewayStateChanged,
    Hold,
    MomentMissed,
    Order,
    ProofAdvanced,
    ProofFailed,
    PublicationResumed,
    Release,
    Resume,
    SnapshotDiffers,
    TicksPublished,
)
from hkex_ops.index.moments import MOMENTS_KEPT
from hkex_ops.index.rules import GatewayRules
from hkex_ops.model import IndexStatus, SiteRole
from tests.index.ticking import after, session, snapshot, ticks, time_ns

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY
ENGINES = {"a": PRIMARY, "b": PRIMARY, "c": SECONDARY}
POINTS = Decimal("20862.67")


def gateway_of(*names: str, rules: GatewayRules | None = None) -> Gateway:
    """A gateway of those engines, while ticks are due."""
    gateway = Gateway({name: ENGINES[name] for name in names}, rules)
    gateway.handle(session(3), after(0))
    return gateway


def told(gateway: Gateway, *inputs: tuple[float, GatewayInput]) -> list[GatewayEvent]:
    """What the gateway tells when inputs come so many seconds after the start."""
    return [event for at, one in inputs for event in gateway.handle(one, after(at))]


def out(events: Sequence[GatewayEvent]) -> list[tuple[int, Decimal, str, tuple[int, ...]]]:
    """What went out: moment, value, engine and marks."""
    return [
        (event.time_ns, tick.value, tick.engine, tick.stale)
        for event in events
        if isinstance(event, TicksPublished)
        for tick in event.ticks
    ]


def blamed(events: Sequence[GatewayEvent]) -> list[GatewayEvent]:
    """Everything else that was told."""
    return [event for event in events if not isinstance(event, TicksPublished)]


def held(gateway: Gateway) -> Gateway:
    """The gateway after the contingency path has begun, a minute after the start."""
    gateway.handle(Hold("all engines silent"), after(60))
    return gateway


# -- once, and the first valid one ---------------------------------------------------------------


def test_the_first_tick_goes_out_at_once_and_the_same_again_does_not() -> None:
    """With the name and site of the engine that was first."""
    gateway = gateway_of("a", "b", "c")
    events = told(gateway, (2.1, ticks("c", 2)), (2.2, ticks("a", 2)), (2.3, ticks("a", 2)))
    [published] = events
    assert isinstance(published, TicksPublished)
    assert ("c", SECONDARY, POINTS) == (
        published.ticks[0].engine,
        published.ticks[0].site,
        published.ticks[0].value,
    )


def test_a_marked_tick_waits_for_a_better_one() -> None:
    """It is valid, and somebody else may know the price."""
    gateway = gateway_of("a", "b")
    events = told(gateway, (2.1, ticks("a", 2, 5, stale=(700,))), (2.2, ticks("b", 2, 6)))
    assert [(time_ns(2), Decimal("0.06"), "b", ())] == out(events)


def test_a_marked_tick_goes_out_when_the_others_have_none_better_or_the_grace_is_over() -> None:
    """The one with fewest marks, and it bears them."""
    gateway = gateway_of("a", "b")
    marked = (ticks("a", 2, stale=(5, 700)), ticks("b", 2, stale=(700,)))
    assert [(time_ns(2), POINTS, "b", (700,))] == out(
        told(gateway, (2.1, marked[0]), (2.2, marked[1]))
    )
    assert [] == told(gateway, (4.1, ticks("a", 4, stale=(5,))))
    assert [] == list(gateway.poll(after(4.5)))
    assert [(time_ns(4), POINTS, "a", (5,))] == out(gateway.poll(after(4.6)))


def test_nobody_waits_for_an_engine_that_has_come_to_the_end_of_its_feed() -> None:
    """What was marked goes out at once then: a run that ended within the grace lost its last ticks
    without a word."""
    gateway = gateway_of("a", "b")
    marked = (ticks("a", 2, stale=(5,)), ticks("a", 4, stale=(5,)))
    assert [] == told(gateway, (2.1, marked[0]), (2.1, marked[1]), (2.1, EngineFinished("a")))
    assert [(time_ns(2), POINTS, "a", (5,)), (time_ns(4), POINTS, "a", (5,))] == out(
        told(gateway, (2.2, EngineFinished("b")))
    )


def test_an_engine_that_has_finished_is_neither_late_nor_dead() -> None:
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, ticks("a", 2)), (2.1, ticks("b", 2)), (2.2, EngineFinished("a")))
    told(gateway, (4.1, ticks("b", 4)), (6.1, ticks("b", 6)), (8.1, ticks("b", 8)))
    assert [] == blamed(gateway.poll(after(9)))


def test_moments_go_out_in_their_order() -> None:
    """An engine that came back and runs ahead does not overtake what another will bring."""
    gateway = gateway_of("a", "b")
    events = told(
        gateway,
        (2.1, ticks("a", 2)),
        (2.2, ticks("b", 2)),
        (6.1, ticks("b", 6)),
        (6.2, ticks("a", 4)),
    )
    assert [2, 4, 6] == [(moment - time_ns(0)) // 10**9 for moment, *_ in out(events)]


def test_a_moment_that_nobody_will_bring_is_told_as_missed() -> None:
    """Both engines have passed it."""
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, ticks("a", 2)), (2.1, ticks("b", 2)))
    events = told(gateway, (6.1, ticks("a", 6)), (6.2, ticks("b", 6)))
    assert [MomentMissed(after(6.2), time_ns(4))] == blamed(events)
    assert [(time_ns(6), POINTS, "a", ())] == out(events)


def test_what_comes_too_late_for_its_order_still_goes_out_once() -> None:
    """A value late is better than a value missing, and (index, time) says where it belongs."""
    gateway = gateway_of("a", "b")
    told(gateway, (3.8, ticks("a", 2)), (3.9, ticks("b", 2)), (6.1, ticks("a", 6)))
    assert [(time_ns(6), POINTS, "a", ())] == out(gateway.poll(after(6.7)))
    assert [(time_ns(4), POINTS, "b", ())] == out(told(gateway, (6.8, ticks("b", 4))))


def test_an_opening_goes_out_once_a_day() -> None:
    """An engine that began late computes it anew, for another moment."""
    gateway = gateway_of("a", "b")
    first, again = (
        ticks(name, at, status=IndexStatus.OPENING) for name, at in (("a", 2), ("b", 4))
    )
    assert 1 == len(out(told(gateway, (2.1, first), (4.1, again))))


def test_high_low_and_opening_are_those_that_went_out_whoever_computes_now() -> None:
    """Engine b began at noon and knows no morning."""
    gateway = gateway_of("a", "b")
    told(
        gateway,
        (2.1, ticks("a", 2, 9_900, status=IndexStatus.OPENING)),
        (4.1, ticks("a", 4, 9_500)),
    )
    told(gateway, (4.2, EngineStopped("a")))
    [published] = told(gateway, (6.1, ticks("b", 6, 9_700)))
    assert isinstance(published, TicksPublished)
    tick = published.ticks[0]
    assert ["99.00", "95.00", "99.00"] == [str(one) for one in (tick.high, tick.low, tick.opening)]


# -- who is late, dead, wrong --------------------------------------------------------------------


def test_an_engine_is_late_once_until_it_keeps_time_again() -> None:
    """Told with the moment for which it was late."""
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, ticks("a", 2)))
    assert [EngineLate(after(3.1), "b", PRIMARY, time_ns(2), 1_000)] == list(
        gateway.poll(after(3.1))
    )
    events = told(gateway, (3.2, ticks("b", 2)), (4.1, ticks("a", 4)), (4.2, ticks("b", 4)))
    assert [EnginePunctual(after(4.2), "b", PRIMARY, time_ns(4))] == blamed(events)


def test_an_engine_is_dead_after_two_silent_intervals_and_returns_on_probation() -> None:
    """It wins again after three ticks that were what went out."""
    gateway = gateway_of("a", "b")
    told(gateway, (1.9, ticks("a", 2)), (2, ticks("b", 2)), (4, ticks("a", 4)))
    gateway.poll(after(5))
    died = EngineDied(after(6), "b", PRIMARY, f"silent since {after(2).isoformat()}")
    assert [died] == blamed(gateway.poll(after(6)))
    events: list[GatewayEvent] = []
    for at in (6, 8, 10, 12):
        events += told(gateway, (at + 0.1, ticks("a", at)), (at + 0.2, ticks("b", at)))
    assert [
        EngineReturned(after(6.2), "b", PRIMARY, time_ns(6)),
        EngineTrusted(after(10.2), "b", 3),
    ] == blamed(events)


def test_silence_counts_only_while_ticks_are_due() -> None:
    """Nobody computes over lunch."""
    gateway = gateway_of("a")
    told(gateway, (2, ticks("a", 2)), (3, session(103)))
    assert () == gateway.poll(after(3_600))
    told(gateway, (5_400, session(3)))
    assert () == gateway.poll(after(5_403))
    assert [EngineDied, GatewayStateChanged] == [type(one) for one in gateway.poll(after(5_404))]


def test_an_engine_whose_process_ended_is_dead_at_once() -> None:
    """Whoever started it knows first; what it had said still counts."""
    gateway = gateway_of("a", "b")
    events = told(gateway, (2.1, ticks("a", 2, stale=(5,))), (2.2, EngineStopped("a")))
    assert [EngineDied(after(2.2), "a", PRIMARY, "its process has ended")] == events
    assert [(time_ns(2), POINTS, "a", (5,))] == out(told(gateway, (2.3, EngineStopped("b"))))


def test_two_engines_that_differ_are_named_with_their_values() -> None:
    """The first one stays published; nobody knows yet who errs."""
    gateway = gateway_of("a", "b")
    events = told(gateway, (2.1, ticks("a", 2, 100)), (2.2, ticks("b", 2, 101)))
    assert [
        EngineDisagreed(
            after(2.2), "b", "0000100", time_ns(2), Decimal("1.01"), "a", Decimal("1.00")
        )
    ] == blamed(events)


def test_the_snapshot_computation_tells_which_of_two_engines_is_wrong() -> None:
    """Its ticks win no more, until they were right three times in a row."""
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, ticks("a", 2, 100)), (2.2, ticks("b", 2, 101)))
    wrong = told(gateway, (2.3, snapshot(2, 101)))
    differs = SnapshotDiffers(
        after(2.3), "a", "0000100", time_ns(2), Decimal("1.00"), Decimal("1.01"), True
    )
    assert [differs, EngineDistrusted(after(2.3), "a", PRIMARY, time_ns(2))] == wrong
    assert [] == out(told(gateway, (4.1, ticks("a", 4))))
    assert [(time_ns(4), POINTS, "b", ())] == out(told(gateway, (4.2, ticks("b", 4))))


def test_where_all_engines_agree_against_the_snapshot_nobody_is_singled_out() -> None:
    """It may be the snapshot computation that errs: a person has to look."""
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, ticks("a", 2, 100)), (2.2, ticks("b", 2, 100)))
    events = told(gateway, (2.3, snapshot(2, 101)), (4.1, ticks("a", 4)))
    assert [SnapshotDiffers, SnapshotDiffers, TicksPublished] == [type(one) for one in events]


def test_an_engine_on_probation_wins_where_no_other_lives() -> None:
    """It is that one or none, and the event says that nothing was proven."""
    gateway = gateway_of("a", "b")
    told(gateway, (2.1, EngineStopped("b")), (4.1, ticks("b", 4)))
    events = told(gateway, (4.2, EngineStopped("a")))
    assert EngineTrusted(after(4.2), "b", 0) in events
    assert [(time_ns(4), POINTS, "b", ())] == out(events)


# -- holding and resuming ------------------------------------------------------------------------


def test_all_engines_silent_for_two_intervals_hold_publication() -> None:
    """What comes then is proven first."""
    gateway = gateway_of("a", "b")
    told(gateway, (2, ticks("a", 2)), (2, ticks("b", 2)))
    events = [type(one) for one in gateway.poll(after(6))]
    assert [EngineDied, EngineDied, GatewayStateChanged] == events
    assert GatewayState.HELD is gateway.state


def test_publication_resumes_when_enough_ticks_in_a_row_were_right() -> None:
    """With the tick that completes the proof; the held ones before it do not go out."""
    gateway = held(gateway_of("a"))
    events: list[GatewayEvent] = []
    for at in (62, 64, 66, 68):
        events += told(gateway, (at, ticks("a", at)), (at + 0.5, snapshot(at)))
    changed = [one for one in events if isinstance(one, GatewayStateChanged)]
    assert [
        ProofAdvanced(after(62.5), "a", time_ns(62), 1, 3),
        ProofAdvanced(after(64.5), "a", time_ns(64), 2, 3),
        ProofAdvanced(after(66.5), "a", time_ns(66), 3, 3),
        EngineTrusted(after(66.5), "a", 3),
        PublicationResumed(after(66.5), time_ns(66), "a", 3),
    ] == [one for one in blamed(events) if one not in changed]
    assert ["proving", "publishing"] == [one.after for one in changed]
    assert [(time_ns(66), POINTS, "a", ()), (time_ns(68), POINTS, "a", ())] == out(events)


def test_a_wrong_tick_begins_the_proof_anew() -> None:
    """In a row means in a row; the failure names both values."""
    gateway = held(gateway_of("a", rules=GatewayRules(proving_ticks=2)))
    events = told(
        gateway,
        *((62.0, ticks("a", 62)), (62.5, snapshot(62))),
        *((64.0, ticks("a", 64, 101)), (64.5, snapshot(64, 100))),
        *((66.0, ticks("a", 66)), (66.5, snapshot(66))),
    )
    failed = ProofFailed(after(64.5), "a", time_ns(64), "0000100", Decimal("1.01"), Decimal("1.00"))
    assert failed in events
    assert [] == out(events)
    assert GatewayState.PROVING is gateway.state


def test_the_snapshot_may_be_there_before_the_tick() -> None:
    """Whichever comes second completes the comparison."""
    gateway = held(gateway_of("a", rules=GatewayRules(proving_ticks=1)))
    events = told(gateway, (62, snapshot(62)), (62.1, ticks("a", 62)))
    assert [(time_ns(62), POINTS, "a", ())] == out(events)


def test_what_a_person_orders_only_a_person_releases() -> None:
    """Right ticks do not end an order; released, they still have to be proven."""
    gateway = gateway_of("a", rules=GatewayRules(proving_ticks=1))
    told(gateway, (1, Order("the desk", "drill")))
    assert [] == out(told(gateway, (2, ticks("a", 2)), (2.5, snapshot(2))))
    told(gateway, (3, Release("the desk", "drill over")))
    assert [(time_ns(4), POINTS, "a", ())] == out(
        told(gateway, (4, ticks("a", 4)), (4.5, snapshot(4)))
    )


def test_a_person_may_vouch_for_the_engines() -> None:
    """Then the next moment goes out unproven, and the event names the person."""
    gateway = held(gateway_of("a"))
    told(gateway, (62, ticks("a", 62)), (63, Resume("the desk", "checked by hand")))
    events = told(gateway, (64, ticks("a", 64)))
    assert [PublicationResumed(after(64), time_ns(64), "the desk", 0)] == [
        one for one in events if isinstance(one, PublicationResumed)
    ]
    assert [(time_ns(64), POINTS, "a", ())] == out(events)


@pytest.mark.parametrize(
    "given",
    [Order("", "drill"), Order("the desk", ""), Release("the desk", "nothing was ordered")],
    ids=["nobody", "no reason", "not ordered"],
)
def test_an_order_names_a_person_and_a_reason_and_fits_the_state(given: GatewayInput) -> None:
    """Refused with a sentence; nothing has changed."""
    gateway = gateway_of("a")
    with pytest.raises(UsageError):
        gateway.handle(given, after(1))
    assert GatewayState.PUBLISHING is gateway.state


def test_the_table_reaches_every_state_and_leaves_every_state() -> None:
    """No state is a trap, and none is never entered."""
    assert set(GatewayState) == set(GATEWAY_TRANSITIONS.values())
    assert set(GatewayState) == {before for before, _ in GATEWAY_TRANSITIONS}


def test_an_unknown_engine_is_refused_with_those_that_are_known() -> None:
    """A caller's mistake, not a fact of the market."""
    with pytest.raises(UsageError, match="no engine 'x'; known: a, b"):
        gateway_of("a", "b").handle(ticks("x", 2), after(2))


# -- restart and bounds --------------------------------------------------------------------------


def test_a_restored_gateway_publishes_nothing_twice_and_keeps_high_and_low() -> None:
    """Whoever takes over knows what went out."""
    gateway = gateway_of("a")
    told(gateway, (2, ticks("a", 2, 90)), (4, ticks("a", 4, 110)))
    again = Gateway({"a": PRIMARY})
    again.restore(gateway.snapshot())
    assert [] == told(again, (4.1, ticks("a", 4, 110)))
    [published] = told(again, (6, ticks("a", 6, 100)))
    assert isinstance(published, TicksPublished)
    assert (Decimal("1.10"), Decimal("0.90")) == (published.ticks[0].high, published.ticks[0].low)


def test_memory_is_bounded_and_what_is_forgotten_counts_no_more() -> None:
    """A tick from before the remembered moments is too old to compare or publish."""
    gateway = gateway_of("a", "b")
    for at in range(2, 2 * MOMENTS_KEPT + 40, 2):
        told(gateway, (at, ticks("a", at)))
    assert [] == out(told(gateway, (999, ticks("b", 4))))


def test_what_was_forgotten_before_anybody_told_it_is_told_as_missed() -> None:
    """A contingency system that ran ahead of every engine made room by forgetting: no tick is lost
    without a word."""
    gateway = gateway_of("a", "b")
    for at in range(2, 2 * MOMENTS_KEPT + 6, 2):
        told(gateway, (1, snapshot(at)))
    events = told(gateway, (2, ticks("a", 2)), (2, ticks("b", 2)), (2, ticks("a", 4)))
    assert [MomentMissed(after(2), time_ns(2)), MomentMissed(after(2), time_ns(4))] == events


moments = st.integers(1, 6).map(lambda one: 2 * one)
arrivals = st.lists(
    st.one_of(
        st.builds(ticks, st.sampled_from("abc"), moments, stale=st.sampled_from([(), (5,)])),
        st.builds(EngineStopped, st.sampled_from("abc")),
        st.builds(EngineFinished, st.sampled_from("abc")),
        st.builds(snapshot, moments),
    ),
    max_size=40,
)


@given(arrivals, st.lists(st.integers(0, 3), min_size=40, max_size=40))
@settings(max_examples=200)
def test_whatever_arrives_each_moment_goes_out_at_most_once(
    inputs: list[GatewayInput], waits: list[int]
) -> None:
    """Any order of ticks, deaths and snapshots, and any waiting in between."""
    gateway = gateway_of("a", "b", "c")
    seconds = 0
    published: list[int] = []
    for one, wait in zip(inputs, waits, strict=False):
        seconds += wait
        now: datetime = after(seconds)
        published += [moment for moment, *_ in out((*gateway.poll(now), *gateway.handle(one, now)))]
    assert len(set(published)) == len(published)
