"""A delivery: tried again within bounds, never when it may have been taken."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from hkex_ops.errors import UsageError
from hkex_ops.model import Outcome
from hkex_ops.notifications import (
    DELIVERY_TRANSITIONS,
    Delivery,
    DeliveryRules,
    DeliveryState,
)
from hkex_ops.notifications.deliveries import DeliveryInput
from tests.notifications.made import MORNING

RULES = DeliveryRules(attempts=3, first_wait_s=5, longest_wait_s=8)
QUEUED = Delivery(DeliveryState.QUEUED, 0, MORNING)


def moved(delivery: Delivery, *given: DeliveryInput, drops_repeats: bool = False) -> Delivery:
    for one in given:
        delivery = delivery.moved(one, MORNING, RULES, drops_repeats=drops_repeats)
    return delivery


def test_what_was_not_taken_is_tried_again_later_and_later_and_then_given_up() -> None:
    begin, deferred = DeliveryInput.BEGIN, DeliveryInput.DEFERRED
    delivery = QUEUED
    seen: list[tuple[DeliveryState, timedelta]] = []
    for _ in range(3):
        delivery = moved(delivery, begin, deferred)
        seen.append((delivery.state, delivery.due - MORNING))
    five, eight = timedelta(seconds=5), timedelta(seconds=8)
    assert [
        (DeliveryState.QUEUED, five),
        (DeliveryState.QUEUED, eight),
        (DeliveryState.GIVEN_UP, eight),
    ] == seen
    assert Outcome.REFUSED is delivery.settled


def test_what_may_have_been_taken_waits_for_a_person() -> None:
    unknown = moved(QUEUED, DeliveryInput.BEGIN, DeliveryInput.UNKNOWN)
    assert (DeliveryState.UNKNOWN, Outcome.UNKNOWN) == (unknown.state, unknown.settled)
    with pytest.raises(UsageError, match="that is unknown cannot become begin"):
        moved(unknown, DeliveryInput.BEGIN)
    assert DeliveryState.TAKEN is moved(unknown, DeliveryInput.TOLD).state
    assert Delivery(DeliveryState.QUEUED, 0, MORNING) == moved(unknown, DeliveryInput.AGAIN)


def test_what_may_have_been_taken_is_sent_again_to_who_drops_repeats() -> None:
    again = moved(QUEUED, DeliveryInput.BEGIN, DeliveryInput.UNKNOWN, drops_repeats=True)
    assert DeliveryState.QUEUED is again.state


def test_what_was_taken_is_never_sent_again() -> None:
    """No input at all leads out of *taken*."""
    assert [] == [
        given for given in DeliveryInput if (DeliveryState.TAKEN, given) in DELIVERY_TRANSITIONS
    ]


def test_the_way_to_the_wire_leads_through_the_queue() -> None:
    """Only what is queued is begun; what may be under way or out is not."""
    begun = [state for state, given in DELIVERY_TRANSITIONS if given is DeliveryInput.BEGIN]
    assert [DeliveryState.QUEUED] == begun


@pytest.mark.parametrize(
    ("state", "given"),
    [
        pair
        for pair in itertools.product(DeliveryState, DeliveryInput)
        if pair not in DELIVERY_TRANSITIONS
    ],
)
def test_what_the_table_does_not_know_is_refused(
    state: DeliveryState, given: DeliveryInput
) -> None:
    with pytest.raises(UsageError, match="cannot become"):
        moved(Delivery(state, 1, MORNING), given)
