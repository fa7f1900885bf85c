"""What a far side may really do, done to the library's own flows: nothing is wrong and unsaid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops.clearing.answers import AnswerMapping
from hkex_ops.clearing.cells import ColumnMapping, Spelling
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.mapping import RecordMapping
from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import HkexOpsError, PluginError, Rejected, Unreachable
from hkex_ops.flows.clearing.fetching import fetch_records
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.flows.index.consuming import follow
from hkex_ops.flows.index.pipeline import Pipeline
from hkex_ops.flows.index.publishing import (
    LaneEvent,
    PublisherLane,
    PublishLimits,
    TicksGivenUp,
)
from hkex_ops.flows.notifying.standing import standing
from hkex_ops.index.engine import Engine
from hkex_ops.index.settlement import Settlement, SettlementAnswer, SettlementEvent
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import HONG_KONG, IndexTick, Outcome, RecordKind, SiteRole
from hkex_ops.notifications import Telling
from hkex_ops.ports import FeedLine, IndexFeed, IndexPublisher, MarketFeed, Notifier, OapiGateway
from hkex_ops.testing import (
    FakeFeedOptions,
    FakeIndexFeedBench,
    FakeIndexPublisher,
    FakeMarket,
    FakeMarketFeed,
    FakeNotifier,
    FakeNotifierOptions,
    FakeOapiGatewayBench,
    FakeTape,
    Sent,
    index_feed_faults,
    index_publisher_faults,
    market_feed_faults,
    notifier_faults,
    oapi_gateway_faults,
)
from hkex_ops.testing.faulty import faulty
from tests.flows.index_market import BASKETS, CHANNELS, TEN, Market, at_ns
from tests.notifications.made import occurrence, route
from tests.notifying.rooms import Room

PRIMARY = SiteRole.PRIMARY

# -- market data -----------------------------------------------------------------------------------

MarketFault = Callable[[MarketFeed], MarketFeed]


def recorded(lines: Iterable[FeedLine]) -> FakeMarket:
    """A minute of trades, a packet each, by these lines."""
    market, record = Market(), FakeMarket(CHANNELS, is_live=False)

    def send(batches: Iterable[object]) -> None:
        for batch in batches:
            for line in lines:
                record.send(
                    [Sent(batch.channel, line, one, at_ns(market.now)) for one in batch.packets]  # type: ignore[attr-defined]
                )

    send(market.begin())
    for second in range(60):
        market.wait(1)
        for stock, price in ((5, 60_000 + second), (700, 300_000 - second), (941, 70_000)):
            send([market.send(market.trade(stock, price))])
            market.wait(ms=10)
        send(market.heartbeats())
    return record


async def ticks_of(record: FakeMarket, fault: MarketFault) -> dict[tuple[str, int], TickComputed]:
    """What an engine makes of a record behind a fault."""
    market = Market()
    pipeline = Pipeline(Engine(BASKETS, channels=CHANNELS), market.codec, CHANNELS)
    found: list[object] = []
    async for batch in fault(FakeMarketFeed(FakeFeedOptions(record))).packets():
        now = TEN + timedelta(microseconds=(batch.received_ns - at_ns(TEN)) // 1000)
        found += pipeline.take(batch, now).data
        found += pipeline.poll(now).data
    return {(one.index, one.time_ns): one for one in found if isinstance(one, TickComputed)}


async def test_what_is_lost_by_both_lines_is_marked_and_no_unmarked_value_is_wrong() -> None:
    """Now and then a packet never comes, by the one line that there is."""
    right = await ticks_of(recorded([FeedLine.A]), market_feed_faults.Faulty)
    found = await ticks_of(
        recorded([FeedLine.A]), lambda feed: market_feed_faults.Losing(feed, every=60)
    )
    unmarked = {key: one for key, one in found.items() if not one.stale}
    assert 0 < len(unmarked) < len(found)
    assert unmarked == {key: right[key] for key in unmarked}


async def test_what_is_cut_short_is_no_market_data() -> None:
    assert {} == await ticks_of(recorded([FeedLine.A]), market_feed_faults.Truncating)


@pytest.mark.parametrize(
    "fault",
    [
        market_feed_faults.Truncating,
        market_feed_faults.Reordering,
        market_feed_faults.Duplicating,
        market_feed_faults.Losing,
    ],
)
async def test_no_index_value_is_wrong_and_unmarked(fault: MarketFault) -> None:
    """By one line alone, so that what it loses is lost."""
    right = await ticks_of(recorded([FeedLine.A]), market_feed_faults.Faulty)
    found = await ticks_of(recorded([FeedLine.A]), fault)
    wrong = [key for key, one in found.items() if not one.stale and one != right.get(key)]
    assert [] == wrong
    assert len(right) > 50


@pytest.mark.parametrize("fault", [market_feed_faults.Reordering, market_feed_faults.Duplicating])
@pytest.mark.parametrize("lines", [(FeedLine.A,), (FeedLine.A, FeedLine.B)], ids=len)
async def test_an_index_is_the_same_in_whatever_order_packets_come(
    fault: MarketFault, lines: tuple[FeedLine, ...]
) -> None:
    right = await ticks_of(recorded([FeedLine.A]), market_feed_faults.Faulty)
    assert right
    assert right == await ticks_of(recorded(lines), fault)


# -- publishing ------------------------------------------------------------------------------------

LIMITS = PublishLimits(answer_s=5, first_wait_ms=1, longest_wait_ms=2)


def moment(number: int, index: str = "0001400") -> tuple[IndexTick, ...]:
    at = TEN + timedelta(seconds=2 * number)
    return tuple(IndexTick(one, at, Decimal(f"{number}.00")) for one in ("0000100", index))


async def published(
    fault: Callable[[IndexPublisher], IndexPublisher], *moments: tuple[IndexTick, ...]
) -> tuple[FakeTape, list[LaneEvent]]:
    """What is on the tape when a lane has done what it can, and what it said."""
    tape, told = FakeTape(), list[LaneEvent]()

    @asynccontextmanager
    async def opened() -> AsyncGenerator[IndexPublisher]:
        yield fault(FakeIndexPublisher(tape))

    lane = PublisherLane("tape", opened, ManualClock(TEN), told.append, LIMITS)
    for ticks in moments:
        lane.offer(ticks)
    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(5):
        while lane.waiting:  # noqa: ASYNC110 - a lane tells nobody when it is done
            await asyncio.sleep(0.001)
    lane.end()
    await running
    return tape, told


@pytest.mark.parametrize(
    "fault",
    [index_publisher_faults.Duplicating, index_publisher_faults.Disconnecting],
)
async def test_every_moment_is_published_once(
    fault: Callable[[IndexPublisher], IndexPublisher],
) -> None:
    """A piece of a moment that was out when the line was lost comes out once as well."""
    tape, told = await published(fault, *map(moment, range(4)))
    assert [tick for number in range(4) for tick in moment(number)] == tape.ticks
    assert not [one for one in told if isinstance(one, TicksGivenUp)]


async def test_a_moment_that_is_refused_is_given_up_alone_and_said() -> None:
    tape, told = await published(
        lambda publisher: index_publisher_faults.Refusing(publisher, ["0208300"]),
        moment(0),
        moment(1, "0208300"),
        moment(2),
    )
    assert [*moment(0), *moment(2)] == tape.ticks
    assert [moment(1)[0].at] == [one.moment for one in told if isinstance(one, TicksGivenUp)]


# -- hearing index values --------------------------------------------------------------------------

FRIDAY = load_calendar().day(date(2010, 1, 22))
EVENING = datetime(2010, 1, 22, 18, tzinfo=HONG_KONG)


async def settled(fault: Callable[[IndexFeed], IndexFeed]) -> SettlementAnswer:
    """A settlement that follows a feed behind a fault."""
    bench = FakeIndexFeedBench()
    at = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)
    values = [
        IndexTick("0000100", at + timedelta(minutes=5 * place), Decimal(f"{20_000 + place}.25"))
        for place in range(73)
    ]
    await bench.put(values)
    settlement, read = Settlement("0000100", FRIDAY), list[SettlementEvent]()
    feed = Configured("tape", PRIMARY, faulty(bench.offer, fault), bench.options_to_the_end())
    await follow([settlement], feed, ManualClock(EVENING), read.append, wanted=lambda _: True)
    return settlement.answer(EVENING)


async def test_a_settlement_is_the_same_when_values_are_heard_twice() -> None:
    once = await settled(index_feed_faults.Faulty)
    assert 40 < sum(mark.value is not None for mark in once.marks)
    assert once == await settled(index_feed_faults.Duplicating)


async def test_a_feed_that_is_lost_says_so() -> None:
    with pytest.raises(Unreachable):
        await settled(lambda feed: index_feed_faults.Disconnecting(feed, after=10))


# -- telling people --------------------------------------------------------------------------------

ALL = ("a@broker.example", "b@broker.example", "c@broker.example", "d@broker.example")


class Way:
    """A mailroom whose mail is behind a fault."""

    def __init__(self, folder: Path, fault: Callable[[Notifier], Notifier]) -> None:
        def make(options: FakeNotifierOptions) -> Notifier:
            return fault(FakeNotifier(options))

        self.room = Room(folder, route(tell=(Telling("mail", ALL),)), make={"mail": make})

    async def tell(self) -> None:
        """Something happens, and is delivered, and an hour later once more."""
        with self.room.open() as mailroom:
            mailroom.hand_in(occurrence())
            await mailroom.deliver()
            for _ in range(3):
                self.room.later(minutes=20)
                await mailroom.deliver()

    def last(self) -> dict[str, Outcome]:
        """What is known of each receiver."""
        with self.room.open() as mailroom:
            [told] = standing(mailroom.outbox)
            return {one.receiver: one.receipts[-1].outcome for one in told.receivers}


async def test_of_whom_nobody_knows_is_never_told_twice(tmp_path: Path) -> None:
    """The line is lost each time after one receiver: who was not told is told later."""
    way = Way(tmp_path, notifier_faults.Disconnecting)
    await way.tell()
    arrived = way.room.arrived()
    assert sorted(ALL) == sorted(arrived)
    known = way.last()
    assert {Outcome.TAKEN, Outcome.UNKNOWN} == set(known.values())
    assert Outcome.TAKEN is known[ALL[0]]
    assert Outcome.UNKNOWN is known[ALL[1]]


async def test_whom_the_far_side_refuses_costs_the_others_nothing(tmp_path: Path) -> None:
    way = Way(tmp_path, lambda notifier: notifier_faults.Refusing(notifier, ALL[:1]))
    await way.tell()
    assert list(ALL[1:]) == way.room.arrived()
    assert Outcome.REFUSED is way.last()[ALL[0]]


async def test_receipts_that_fit_nobody_are_believed_of_nobody(tmp_path: Path) -> None:
    way = Way(tmp_path, notifier_faults.Reordering)
    await way.tell()
    assert {Outcome.UNKNOWN} == set(way.last().values())
    assert list(ALL) == way.room.arrived()


# -- asking a clearing house -----------------------------------------------------------------------

TRADES = AnswerMapping(
    "CQ10",
    RecordMapping(
        RecordKind.POSITIONS,
        {
            "account": ColumnMapping(("account",)),
            "series": ColumnMapping(constant="HSIK9"),
            "business_date": ColumnMapping(constant="2019-05-03"),
            "long": ColumnMapping(("quantity",)),
            "short": ColumnMapping(constant="0"),
        },
        Spelling(),
    ),
)


async def answered(fault: Callable[[OapiGateway], OapiGateway]) -> int:
    """How many rows a whole answer came to behind a fault."""
    bench, rows = FakeOapiGatewayBench(), list[Placed]()
    async with faulty(bench.offer, fault).open(bench.options(), PRIMARY) as gateway:
        found = await fetch_records(gateway, [TRADES], RecordKind.POSITIONS, rows.append)
    return found.rows


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (oapi_gateway_faults.Reordering, PluginError),
        (oapi_gateway_faults.Duplicating, PluginError),
        (oapi_gateway_faults.Refusing, Rejected),
        (oapi_gateway_faults.Disconnecting, Unreachable),
    ],
)
async def test_an_answer_is_used_whole_or_not_at_all(
    fault: Callable[[OapiGateway], OapiGateway], error: type[HkexOpsError]
) -> None:
    assert 8 == await answered(oapi_gateway_faults.Faulty)
    with pytest.raises(error):
        await answered(fault)


async def test_a_stalled_answer_goes_on_where_it_stood() -> None:
    begun: asyncio.Future[oapi_gateway_faults.Stalling] = asyncio.get_running_loop().create_future()

    def stall(gateway: OapiGateway) -> OapiGateway:
        stalling = oapi_gateway_faults.Stalling(gateway)
        begun.set_result(stalling)
        return stalling

    asking = asyncio.create_task(answered(stall))
    stalling = await begun
    await asyncio.sleep(0.01)
    assert not asking.done()
    stalling.go_on()
    assert 8 == await asking
