"""Whatever two lines do to their packets, the ticks are those of a line that loses nothing.

Lines lose packets (never both the same message), repeat, swap and split them otherwise, and reach
the pipeline in batches of any size. Every one of these ways is compared with the same messages, one
by one and in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings, strategies as st

from hkex_ops.flows.index.board import EngineRow
from hkex_ops.flows.index.pipeline import Pipeline
from hkex_ops.flows.index.straight_trades import StraightTrades, TradeFields
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import QuarantinedRecord, TradeRecord
from hkex_ops.index.ticks import EngineEvent
from hkex_ops.omd import AddOrder
from hkex_ops.omd.messages import Message
from hkex_ops.ports import FeedLine, PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, TRADES, Market, at_ns

STOCKS = (5, 700, 941, 4321)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[list[tuple[int, int]], int]]:
    """Messages in small runs, each sent together: (stock, price) of trades, 0 for an order; and
    the milliseconds before each run."""
    message = st.tuples(st.sampled_from((0, *STOCKS)), st.integers(50_000, 90_000))
    run = st.tuples(st.lists(message, min_size=1, max_size=5), st.integers(0, 1_500))
    return draw(st.lists(run, min_size=1, max_size=30))


@st.composite
def treatments(draw: st.DrawFn) -> list[tuple[str, bool, bool]]:
    """What becomes of a run: which line loses it, whether B splits it, whether A repeats it."""
    one = st.tuples(st.sampled_from(("", "", "", "A", "B")), st.booleans(), st.booleans())
    return draw(st.lists(one, min_size=30, max_size=30))


def messages_of(market: Market, run: Sequence[tuple[int, int]]) -> list[Message]:
    order = market.codec.blank(AddOrder)._replace(security_code=5)
    return [market.trade(stock, price) if stock else order for stock, price in run]


def begun() -> tuple[Market, Pipeline, list[EngineEvent]]:
    """A pipeline at the beginning of continuous trading, with nothing to wait for."""
    market = Market()
    pipeline = Pipeline(Engine(BASKETS, channels=CHANNELS), market.codec, CHANNELS)
    told: list[EngineEvent] = []
    for batch in market.begin():
        told += pipeline.take(batch, market.now).data  # type: ignore[arg-type]
    market.wait(ms=100)
    told += pipeline.poll(market.now).data  # type: ignore[arg-type]
    return market, pipeline, []


def ended(market: Market, pipeline: Pipeline, told: list[EngineEvent]) -> list[EngineEvent]:
    market.wait(2)
    for batch in market.heartbeats():
        told += pipeline.take(batch, market.now).data  # type: ignore[arg-type]
    return told


def plainly(day: Sequence[tuple[list[tuple[int, int]], int]]) -> list[EngineEvent]:
    market, pipeline, told = begun()
    for run, wait_ms in day:
        market.wait(ms=wait_ms)
        for message in messages_of(market, run):
            told += pipeline.take(market.send(message), market.now).data  # type: ignore[arg-type]
    return ended(market, pipeline, told)


def lines_of(
    day: Sequence[tuple[list[tuple[int, int]], int]],
    treated: Sequence[tuple[str, bool, bool]],
    market: Market,
) -> list[tuple[FeedLine, bytes]]:
    """What the two lines bring, in the order in which it was sent; A comes first."""
    came: list[tuple[FeedLine, bytes]] = []
    channel = market.channels[TRADES]
    for (run, wait_ms), (lost, splits, repeats) in zip(day, treated, strict=False):
        market.wait(ms=wait_ms)
        messages = messages_of(market, run)
        first = channel.sequence
        whole = channel.send(messages, market.now)
        parts = [whole]
        if splits and len(messages) > 1:
            parts = [
                market.codec.encode_packet(
                    part, sequence=first + begin, send_time_ns=at_ns(market.now)
                )
                for begin, part in ((0, messages[:1]), (1, messages[1:]))
            ]
        if lost != "A":
            came += [(FeedLine.A, whole)] * (2 if repeats else 1)
        if lost != "B":
            came += [(FeedLine.B, part) for part in parts]
    return came


@settings(max_examples=60)
@given(
    day=runs(),
    treated=treatments(),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=10),
    swaps=st.sets(st.integers(0, 60), max_size=8),
)
def test_ticks_are_those_of_a_line_that_loses_nothing(
    day: list[tuple[list[tuple[int, int]], int]],
    treated: list[tuple[str, bool, bool]],
    sizes: list[int],
    swaps: set[int],
) -> None:
    market, pipeline, told = begun()
    came = lines_of(day, treated, market)
    for place in sorted(swaps):
        if place + 1 < len(came):
            came[place], came[place + 1] = came[place + 1], came[place]
    start, begin = market.now, 0
    for turn in range(len(came)):
        if begin >= len(came):
            break
        taken = came[begin : begin + sizes[turn % len(sizes)]]
        begin += len(taken)
        at = start + timedelta(microseconds=turn)
        for line in (FeedLine.A, FeedLine.B):
            packets = [packet for by, packet in taken if by is line]
            if packets:
                batch = PacketBatch(TRADES, line, at_ns(at), packets)
                told += pipeline.take(batch, at).data  # type: ignore[arg-type]
    assert plainly(day) == ended(market, pipeline, told)


trade_rows = st.lists(
    st.tuples(
        st.sampled_from(STOCKS[:3]),
        st.integers(-2, 3),  # from the next number of the stock
        st.sampled_from((0, 1, 50_000, 60_000, 60_001)),
        st.integers(1, 500),
        st.sampled_from((0, 4, 22, 100, 103)),
        st.sampled_from((0, 500, 1_500, 2_500)),  # milliseconds since the one before
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(rows=trade_rows, cut=st.integers(0, 60), mark=st.booleans())
def test_the_straight_way_gives_what_the_engine_gives_one_by_one(
    rows: list[tuple[int, int, int, int, int, int]], cut: int, mark: bool
) -> None:
    """Out of order, cancelled numbers, no price, other types, over moments, on a stale stock."""
    market = Market()
    begin_ns = sent_ns = at_ns(market.now)
    tops = dict.fromkeys(STOCKS, 0)
    trades: list[TradeFields] = []
    for number, (stock, step, price, quantity, kind, wait_ms) in enumerate(rows, start=3):
        sent_ns += wait_ms * 1_000_000
        trade_id = max(1, tops[stock] + step)
        tops[stock] = max(tops[stock], trade_id)
        trades.append((TRADES, number, stock, trade_id, price, quantity, kind, sent_ns, sent_ns))
    told: list[list[EngineEvent]] = []
    engines = []
    for _ in range(2):
        engine = Engine(BASKETS, channels=(TRADES,), first_ns=begin_ns)
        if mark:
            engine.handle(QuarantinedRecord(TRADES, 2, 5, 0, "lost", begin_ns), market.now)
        engines.append(engine)
        told.append([])
    for trade in trades:
        told[0] += engines[0].handle(TradeRecord._make(trade), market.now)
    straight = StraightTrades(engines[1], EngineRow.detached())
    for part in (trades[:cut], trades[cut:]):
        straight.work(part, (), market.now, told[1])  # type: ignore[arg-type]
    assert told[0] == told[1]
    assert engines[0].snapshot() == engines[1].snapshot()
