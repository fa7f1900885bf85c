"""The list of what has to be put in again: it only grows, and every tick follows the table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops import HONG_KONG, ManualClock
from hkex_ops.clearing.reentry import (
    REENTRY_TRANSITIONS,
    ProvingReport,
    Reentry,
    ReentryState,
    TickKind,
    TickTransaction,
    TransactionChanged,
    TransactionListed,
    TransactionTicked,
    due_since,
    proofs_of,
)
from hkex_ops.errors import UsageError
from hkex_ops.flows.clearing.reentering import list_transactions, reentry_of
from hkex_ops.flows.journal import Journal
from hkex_ops.model import ClearingSide, ClearingTransaction

NOON = datetime(2019, 5, 6, 12, tzinfo=HONG_KONG)
GIVE_UP = ClearingTransaction(
    "R1", "give-up", date(2019, 5, 6), NOON, "desk", "A1", "HSIK9", ClearingSide.BUY, 3
)


def tick(kind: TickKind, at: datetime = NOON, by: str = "desk", why: str = "so") -> TickTransaction:
    return TickTransaction("R1", kind, by, at, why)


def test_a_transaction_is_listed_once_and_a_change_is_in_its_trail() -> None:
    reentry, larger = Reentry(), evolve(GIVE_UP, quantity=4)
    events = [
        *reentry.handle([GIVE_UP], NOON, "book"),
        *reentry.handle([GIVE_UP], NOON, "book"),
        *reentry.handle([larger], NOON, "book"),
    ]
    assert [
        TransactionListed(NOON, GIVE_UP, "book"),
        TransactionChanged(NOON, larger, "book"),
    ] == events
    [listed] = reentry.transactions
    assert (larger, tuple(events)) == (listed.transaction, listed.trail)


@pytest.mark.parametrize(("state", "kind"), list(product(ReentryState, TickKind)))
def test_ticks_follow_the_table(state: ReentryState, kind: TickKind) -> None:
    reentry = Reentry()
    reentry.handle([GIVE_UP], NOON)
    before = {ReentryState.REENTERED: TickKind.REENTERED, ReentryState.EXCUSED: TickKind.EXCUSED}
    if state in before:
        reentry.handle(tick(before[state]), NOON)
    if (state, kind) in REENTRY_TRANSITIONS:
        assert (TransactionTicked(NOON, "R1", kind, "desk", "so"),) == reentry.handle(
            tick(kind), NOON
        )
        assert REENTRY_TRANSITIONS[state, kind] is reentry.transactions[0].state
    else:
        with pytest.raises(UsageError, match=f"R1 is {state} already"):
            reentry.handle(tick(kind), NOON)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (tick(TickKind.REENTERED, by=" "), "say who"),
        (tick(TickKind.EXCUSED, why=""), "say why"),
        (tick(TickKind.REENTERED, NOON + timedelta(seconds=1)), "ahead of time"),
        (evolve(tick(TickKind.REENTERED), reference="R9"), "no transaction 'R9' is on the list"),
    ],
)
def test_a_tick_that_makes_no_sense_is_refused(given: TickTransaction, said: str) -> None:
    reentry = Reentry()
    reentry.handle([GIVE_UP], NOON)
    with pytest.raises(UsageError, match=said):
        reentry.handle(given, NOON)
    assert ReentryState.OPEN is reentry.transactions[0].state


@given(st.lists(st.sampled_from(TickKind), max_size=8))
def test_the_list_is_the_same_from_its_events(kinds: list[TickKind]) -> None:
    reentry, events = Reentry(), list(Reentry().handle([GIVE_UP], NOON, "book"))
    reentry.tell(events[0])
    for kind in kinds:
        try:
            events += reentry.handle(tick(kind), NOON)
        except UsageError:
            continue
    again = Reentry()
    for event in events:
        again.tell(event)
    assert reentry.transactions == again.transactions


def test_what_two_people_wrote_at_one_time_is_told_once() -> None:
    """Listed by both, ticked by both: one transaction, put in again once; the trail has both."""
    listed = TransactionListed(NOON, GIVE_UP, "book")
    ticked = TransactionTicked(NOON, "R1", TickKind.REENTERED, "desk", "")
    events = (listed, ticked, listed, ticked)
    reentry = Reentry()
    for event in (*events, TransactionTicked(NOON, "R9", TickKind.REENTERED, "desk", "")):
        reentry.tell(event)
    [one] = reentry.transactions
    assert (GIVE_UP, ReentryState.REENTERED, events) == (one.transaction, one.state, one.trail)


def test_only_what_was_put_in_since_the_cutover_is_due() -> None:
    moments = [NOON - timedelta(seconds=1), NOON, NOON + timedelta(hours=1)]
    book = [
        evolve(GIVE_UP, reference=str(place), entered_at=at) for place, at in enumerate(moments)
    ]
    assert (book[1],) == due_since([*book, book[1]], NOON, moments[2])
    other = evolve(book[1], quantity=9)
    with pytest.raises(UsageError, match="reference 1 names two transactions"):
        due_since([*book, other], NOON, moments[2])


def test_a_report_proves_transactions_of_its_date_and_type() -> None:
    def report(code: str, day: int) -> ProvingReport:
        return ProvingReport("HKCC", code, date(2019, 5, day), code, code, "0" * 64)

    reports = [report("TP001", 6), report("TP002", 6), report("TP001", 7)]
    codes = {"give-up": ("TP001",), "*": ("TP002",)}
    assert (reports[0],) == proofs_of(GIVE_UP, codes, reports)
    assert (reports[1],) == proofs_of(evolve(GIVE_UP, type="exercise"), codes, reports)
    assert () == proofs_of(GIVE_UP, {}, reports)


def test_the_journal_keeps_the_list(tmp_path: Path) -> None:
    """Every column of a transaction comes back as it was."""
    clock = ManualClock(NOON)
    with Journal.open(tmp_path, "hkats-dcass-2019", clock=clock) as journal:
        first = list_transactions(journal, [GIVE_UP], "book", NOON)
        assert () == list_transactions(journal, [GIVE_UP], "book", NOON)
        entries = journal.entries()
    assert ["transaction-listed"] == [one.kind for one in entries]
    [listed] = reentry_of(entries).transactions
    assert (GIVE_UP, first) == (listed.transaction, listed.trail)
