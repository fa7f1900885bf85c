"""The watch as event lists: what people noticed by eye in 2010, and when it notices."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_args

from hkex_ops.index.records import SecurityStatusRecord, TradeRecord
from hkex_ops.index.rules import WatchRules
from hkex_ops.index.watch import (
    NOTICED_2010,
    FeedOnBothLines,
    FeedOnOneLine,
    IndexMovedAgain,
    IndexUnchanged,
    LineHeard,
    OpeningCame,
    OpeningLate,
    StocksMoved,
    StockStopped,
    StockTradesAgain,
    Watch,
    WatchEvent,
)
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick
from tests.index.ticking import after, session, time_ns

IN_2010 = WatchRules(opening_due="09:50:30")
DAY_2010 = datetime(2010, 1, 22, tzinfo=HONG_KONG)


def clock(text: str) -> datetime:
    """A time on 22 January 2010."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return DAY_2010 + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def told(
    seconds: float, value: str = "1.00", *, opening: str | None = "1.00", index: str = "HSI"
) -> IndexTick:
    """A tick as it went out."""
    first = None if opening is None else Decimal(opening)
    return IndexTick(index, after(seconds), Decimal(value), opening=first)


def traded(seconds: float, security: int = 5) -> TradeRecord:
    """A trade."""
    sent = time_ns(seconds)
    return TradeRecord(30, 1, security, 1, 60_000, 100, 0, sent, sent)


def trading(rules: WatchRules | None = None) -> Watch:
    """A watch of one index during continuous trading, opened in time."""
    watch = Watch(["HSI"], rules)
    watch.handle(told(-500, "0.99"), after(-500))
    watch.handle(session(3), after(0))
    return watch


def test_a_late_opening_index_is_told_when_it_is_due_and_when_it_comes() -> None:
    """22 January 2010: due at 09:50:30, received at 09:52."""
    watch = Watch(["HSI", "HSCEI"], IN_2010)
    assert () == watch.poll(clock("09:50:29"))
    late = OpeningLate(clock("09:50:30"), clock("09:50:30"), ("HSI", "HSCEI"))
    assert (late,) == watch.poll(clock("09:50:30"))
    assert () == watch.poll(clock("09:51:00"))
    opening = IndexTick(
        "HSI",
        clock("09:52:00"),
        Decimal("20527.5"),
        status=IndexStatus.OPENING,
        opening=Decimal("20527.5"),
    )
    came = OpeningCame(clock("09:52:00"), "HSI", 90)
    assert (came,) == watch.handle(opening, clock("09:52:00"))


def test_an_opening_in_time_is_told_to_nobody() -> None:
    """Any tick that carries the opening value will do."""
    watch = Watch(["HSI"], IN_2010)
    tick = IndexTick("HSI", clock("09:50:30"), Decimal(1), opening=Decimal(1))
    assert () == watch.handle(tick, clock("09:50:20"))
    assert () == watch.poll(clock("09:55:00"))


def test_an_index_that_stays_unchanged_while_its_stocks_move_is_told_once() -> None:
    """Ticks keep coming and have one value; so many prices changed meanwhile."""
    watch = trading()
    for at in range(2, 34, 2):
        watch.handle(told(at), after(at))
    watch.handle(StocksMoved("HSI", 20), after(31))
    assert [IndexUnchanged(after(33), "HSI", after(2), 16, 20)] == [
        *watch.poll(after(31)),
        *watch.poll(after(33)),
        *watch.poll(after(60)),
    ]
    assert (IndexMovedAgain(after(61), "HSI"),) == watch.handle(told(61, "2.00"), after(61))


def test_an_index_that_stops_altogether_is_unchanged_too() -> None:
    """22 January 2010: the first tick at 10:00:15 and none after it."""
    watch = trading()
    watch.handle(told(15), after(15))
    watch.handle(StocksMoved("HSI", 500), after(40))
    assert (IndexUnchanged(after(45), "HSI", after(15), 1, 500),) == watch.poll(after(45))


def test_an_index_may_stand_still_with_its_stocks() -> None:
    """In a quiet market nothing is wrong."""
    watch = trading()
    watch.handle(told(2), after(2))
    watch.handle(StocksMoved("HSI", 19), after(30))
    assert () == watch.poll(after(3_600))


def test_a_stock_that_traded_often_and_stopped_is_told() -> None:
    """And when it trades again."""
    watch = trading(WatchRules(stock_trades=3, stock_silent_s=60))
    for at in (1, 2, 3):
        watch.handle(traded(at), after(at))
    assert () == watch.poll(after(62))
    assert (StockStopped(after(63), 5, after(3), 60),) == watch.poll(after(63))
    assert () == watch.poll(after(64))
    assert (StockTradesAgain(after(70), 5),) == watch.handle(traded(70), after(70))


def test_a_stock_that_is_suspended_or_seldom_trades_has_not_stopped() -> None:
    """Nor has any while there is no trading."""
    watch = trading(WatchRules(stock_trades=2, stock_silent_s=60))
    watch.handle(traded(1, 9), after(1))
    for at in (1, 2):
        watch.handle(traded(at), after(at))
    watch.handle(SecurityStatusRecord(30, 2, 5, True, time_ns(3)), after(3))
    assert () == watch.poll(after(600))
    watch.handle(SecurityStatusRecord(30, 3, 5, False, time_ns(601)), after(601))
    watch.handle(session(103), after(602))
    assert () == watch.poll(after(3_600))
    watch.handle(session(3), after(3_601))
    assert () == watch.poll(after(3_660))
    assert [StockStopped] == [type(one) for one in watch.poll(after(3_661))]


def test_a_channel_on_one_line_is_told_with_the_line_that_is_left() -> None:
    """And when both are there again."""
    watch = Watch([])
    for at in range(12):
        watch.handle(LineHeard(30, "A"), after(at))
    watch.handle(LineHeard(30, "B"), after(3))
    assert () == watch.poll(after(12.9))
    assert (FeedOnOneLine(after(13), 30, "A", after(3)),) == watch.poll(after(13))
    assert () == watch.poll(after(14))
    assert () == watch.handle(LineHeard(30, "A"), after(15))
    assert (FeedOnBothLines(after(16), 30),) == watch.handle(LineHeard(30, "B"), after(16))


def test_a_line_never_heard_is_silent_since_the_channel_was_first_heard() -> None:
    """A feed that has one line from the start."""
    watch = Watch([])
    for at in range(11):
        watch.handle(LineHeard(30, "B"), after(at))
    assert (FeedOnOneLine(after(10), 30, "B", after(0)),) == watch.poll(after(10))


def test_a_channel_on_no_line_is_the_gateways_affair() -> None:
    """Both lines silent is no lack of redundancy but of data."""
    watch = Watch([])
    watch.handle(LineHeard(30, "A"), after(0))
    watch.handle(LineHeard(30, "B"), after(0))
    assert () == watch.poll(after(60))


def test_a_restored_watch_tells_nothing_twice() -> None:
    """And still knows what is stuck, stopped or on one line, to tell when it ends."""
    watch = trading(WatchRules(stock_trades=1, stock_silent_s=20))
    watch.handle(told(2), after(2))
    watch.handle(traded(2), after(2))
    watch.handle(StocksMoved("HSI", 50), after(30))
    for at in range(41):
        watch.handle(LineHeard(30, "A"), after(at))
    begun = watch.poll(after(40))
    assert [IndexUnchanged, StockStopped, FeedOnOneLine] == [type(one) for one in begun]
    again = Watch(["HSI"])
    again.restore(watch.snapshot())
    assert () == again.poll(after(41))
    assert (IndexMovedAgain(after(42), "HSI"),) == again.handle(told(42, "9.00"), after(42))
    assert (StockTradesAgain(after(43), 5),) == again.handle(traded(43), after(43))


def test_each_event_that_begins_something_says_what_was_noticed_in_2010() -> None:
    """Events that end it need no such sentence."""
    ends = {OpeningCame, IndexMovedAgain, StockTradesAgain, FeedOnBothLines}
    assert set(get_args(WatchEvent)) - ends == set(NOTICED_2010)
