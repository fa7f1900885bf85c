"""The contract of market feeds passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import pytest

from hkex_ops.errors import HkexOpsError, Rejected, Unreachable, UsageError
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch
from hkex_ops.testing import (
    FakeFeedOptions,
    FakeMarketFeed,
    FakeMarketFeedBench,
    MarketFeedBench,
    MarketFeedContract,
)


class TestFakeLiveFeed(MarketFeedContract):
    """The fake of the kit, heard live, keeps the contract."""

    @pytest.fixture
    def bench(self) -> FakeMarketFeedBench:
        return FakeMarketFeedBench()


class TestFakeRecordedFeed(MarketFeedContract):
    """The fake of the kit, as a record, keeps the contract."""

    @pytest.fixture
    def bench(self) -> FakeMarketFeedBench:
        return FakeMarketFeedBench(is_live=False)


# -- feeds that break it ---------------------------------------------------------------------------


class Changing(FakeMarketFeed):
    """Hands something else on than was sent; each kind says how."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch]

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        async for batch in super().packets():
            for one in self.changed(batch):
                yield one


class Dropping(Changing):
    """Loses a packet."""

    lost = False

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        if self.lost:
            return [batch]
        self.lost = True
        return []


class Swapping(Changing):
    """Hands every packet on after the one that came later."""

    held: PacketBatch | None = None

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        if self.held is None:
            self.held = batch
            return []
        held, self.held = self.held, None
        return [batch, held]


class Arbitrating(Changing):
    """Takes every line for line A."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch._replace(line=FeedLine.A)]


class Confusing(Changing):
    """Takes every channel for the first."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch._replace(channel=self.channels[0])]


class Disordered(FakeMarketFeed):
    """Tells the channels as they come to mind."""

    @property
    def channels(self) -> Sequence[int]:
        return sorted(self.market.channels, reverse=True)


class Impatient(Changing):
    """Takes a heartbeat for nothing."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch] if any(len(packet) > 16 for packet in batch.packets) else []


class Cutting(Changing):
    """Has too small a buffer."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch._replace(packets=[packet[:1400] for packet in batch.packets])]


class Judging(Changing):
    """Keeps back what it takes for malformed."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        right = [one for one in batch.packets if int.from_bytes(one[:2], "little") == len(one)]
        return [batch._replace(packets=right)] if right else []


class Filling(Changing):
    """Fills the time with empty batches."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch._replace(packets=[]), batch]


class Timeless(Changing):
    """Does not look at the clock."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        return [batch._replace(received_ns=1)]


class Sorting(Changing):
    """Hands line B on after everything else."""

    def __init__(self, options: FakeFeedOptions) -> None:
        recorded = options.market.recorded
        recorded.sort(key=lambda batch: batch.line)
        super().__init__(options)


class Overhearing(FakeMarketFeed):
    """Listens to every line there is."""

    def open(self) -> None:
        super().open()
        self.queue.put_nowait(PacketBatch(self.channels[0], FeedLine.A, 0, [b"foreign"]))


class Recovering(Changing):
    """Takes the recovery channel for one more."""

    def changed(self, batch: PacketBatch) -> list[PacketBatch]:
        line = FeedLine.A if batch.line is FeedLine.RECOVERY else batch.line
        return [batch._replace(line=line)]


class Counting(FakeMarketFeed):
    """Counts the recovery channel among the real-time ones."""

    @property
    def channels(self) -> Sequence[int]:
        return [self.market.recovery, *self.market.channels]


class Replaying(FakeMarketFeed):
    """Lets its packets be asked for over and over."""

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        self.asked = False
        async for batch in super().packets():
            yield batch
            self.queue.put_nowait(batch)


class Lasting(FakeMarketFeed):
    """Does not end when it is closed."""

    def close(self) -> None:
        self.market.listening.remove(self.queue)


class Lingering(FakeMarketFeed):
    """Goes on listening after it was left."""

    def close(self) -> None:
        super().close()
        self.market.listening.append(self.queue)


class Concealing(FakeMarketFeed):
    """Takes a failure for the end."""

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        try:
            async for batch in super().packets():
                yield batch
        except HkexOpsError:
            return


class Exclusive(FakeMarketFeed):
    """Takes the packets away from every other feed."""

    def open(self) -> None:
        self.market.listening.clear()
        super().open()

    def close(self) -> None:
        if self.queue in self.market.listening:
            super().close()


class Generous(FakeMarketFeed):
    """Gives whole packets, asked for or not."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        async for batch in super().retransmit(channel, max(1, begin - 10), end):
            yield batch


class Piecemeal(FakeMarketFeed):
    """Asks for one half after the other."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        middle = (begin + end) // 2
        for part in ((begin, middle), (middle + 1, end)):
            if part[0] <= part[1]:
                async for batch in super().retransmit(channel, *part):
                    yield batch


class Mislabelling(FakeMarketFeed):
    """Says that what is given again came by line A."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        async for batch in super().retransmit(channel, begin, end):
            yield batch._replace(line=FeedLine.A)


class Unlimited(FakeMarketFeed):
    """Asks for anything."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        for packet in self.market.answer(channel, begin, end):
            yield PacketBatch(channel, FeedLine.RETRANSMISSION, 0, [packet])


class Resigned(FakeMarketFeed):
    """Takes a refusal for an empty answer, and a server that is down for a refusal."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        try:
            async for batch in super().retransmit(channel, begin, end):
                yield batch
        except Rejected:
            return
        except Unreachable as error:
            raise Rejected(str(error)) from None


class Hasty(FakeMarketFeed):
    """Opens a session for every request at once."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        async for batch in FakeMarketFeed(FakeFeedOptions(self.market)).retransmit(
            channel, begin, end
        ):
            yield batch


class Forgetful(FakeMarketFeed):
    """Mixes what was left of one answer into the next."""

    rest: Sequence[bytes] = ()

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        packets = [*self.rest, *self.market.answer(channel, begin, end)]
        while packets:
            self.rest = packets[1:]
            yield PacketBatch(channel, FeedLine.RETRANSMISSION, 0, [packets[0]])
            packets = [*self.rest]


class Clinging(FakeMarketFeed):
    """Never hangs up."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        async for batch in super().retransmit(channel, begin, end):
            yield batch
        self.market.sessions += 1


class Trusting(FakeMarketFeed):
    """Asks for channels that it does not have."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        self.market.answer(channel, begin, end)
        raise UsageError("too late")
        yield

    async def refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        async for batch in super().refresh(min(channel, max(self.channels))):
            yield batch


class Attentive(FakeMarketFeed):
    """Listens to every refresh from the beginning."""

    def open(self) -> None:
        super().open()
        self.market.refreshing.extend((channel, self.queue) for channel in self.channels)


class Muddled(FakeMarketFeed):
    """Does not keep the refreshes of two channels apart."""

    async def refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        async for batch in super().refresh(channel):
            yield batch
            yield batch


class Enduring(FakeMarketFeed):
    """Goes on with a refresh after it was closed."""

    def close(self) -> None:
        self.ends = [self.queue]
        super().close()


class Optimistic(FakeMarketFeed):
    """Counts nothing."""

    def health(self) -> Sequence[LineHealth]:
        return [LineHealth(self.channels[0], FeedLine.A, 0, 0, 0, 0)]


class Rushing(FakeMarketFeed):
    """Says that it waits for its reader, and keeps only what is newest."""

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        async for batch in super().packets():
            if self.queue.qsize() < self.NEWEST:
                yield batch

    NEWEST = 1000


Clause = Callable[[MarketFeedBench], Awaitable[None]]

clauses = MarketFeedContract()


def live(make: type[FakeMarketFeed]) -> FakeMarketFeedBench:
    return FakeMarketFeedBench(make)


def recorded(make: type[FakeMarketFeed]) -> FakeMarketFeedBench:
    return FakeMarketFeedBench(make, is_live=False)


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (live(Dropping), clauses.test_m01_what_is_sent_is_heard),
        (live(Swapping), clauses.test_m01_what_is_sent_is_heard),
        (live(Arbitrating), clauses.test_m02_both_lines_are_heard_apart),
        (live(Confusing), clauses.test_m03_channels_are_heard_apart),
        (live(Disordered), clauses.test_m04_the_channels_are_told),
        (live(Impatient), clauses.test_m05_a_heartbeat_is_a_packet),
        (live(Cutting), clauses.test_m06_the_largest_packet_is_whole),
        (live(Judging), clauses.test_m07_what_is_malformed_is_handed_on),
        (live(Filling), clauses.test_m08_no_batch_is_empty),
        (live(Timeless), clauses.test_m09_the_time_of_taking_is_told),
        (recorded(Timeless), clauses.test_m09_the_time_of_taking_is_told),
        (recorded(Sorting), clauses.test_m10_recorded_order_is_kept),
        (live(Overhearing), clauses.test_m11_other_lines_are_not_heard),
        (live(Recovering), clauses.test_m12_the_recovery_channel_is_heard_as_such),
        (live(Counting), clauses.test_m13_the_recovery_channel_is_none_of_the_channels),
        (live(Dropping), clauses.test_m14_looking_away_loses_nothing),
        (live(Replaying), clauses.test_m15_packets_are_iterated_once),
        (live(Lasting), clauses.test_m16_a_feed_ends),
        (live(Lingering), clauses.test_m17_nothing_is_held_open),
        (recorded(Concealing), clauses.test_m18_a_feed_that_fails_says_so),
        (live(Exclusive), clauses.test_m19_two_feeds_hear_the_same),
        (live(Generous), clauses.test_m20_a_range_is_given_again),
        (live(Mislabelling), clauses.test_m20_a_range_is_given_again),
        (live(Generous), clauses.test_m21_one_message_is_a_range),
        (live(Piecemeal), clauses.test_m22_the_greatest_range_is_one_request),
        (live(Resigned), clauses.test_m24_what_is_not_kept_is_rejected),
        (live(Hasty), clauses.test_m26_one_session_and_one_request_at_a_time),
        (live(Forgetful), clauses.test_m27_an_answer_may_be_left),
        (live(Clinging), clauses.test_m28_asking_leaves_nothing_open),
        (live(Attentive), clauses.test_m30_refresh_is_listened_to_only_while_asked_for),
        (live(Muddled), clauses.test_m31_refresh_is_of_its_channel),
        (live(Attentive), clauses.test_m32_refresh_is_none_of_the_packets),
        (live(Trusting), clauses.test_m33_another_channel_has_no_refresh),
        (live(Enduring), clauses.test_m34_closing_ends_a_refresh),
        (live(Optimistic), clauses.test_m35_health_counts_what_was_taken),
        (
            recorded(Rushing),
            clauses.test_m36_a_feed_that_waits_for_its_reader_loses_nothing_meanwhile,
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_feed_fails_its_clause(
    bench: FakeMarketFeedBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.market_feed_heard.NOTICE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(bench, "time_limit_s", 0.3)
    with pytest.raises((AssertionError, pytest.fail.Exception, TimeoutError)):
        await clause(bench)


@pytest.mark.parametrize(
    ("make", "clause", "error"),
    [
        (Unlimited, clauses.test_m23_what_no_request_may_name_is_refused, Rejected),
        (Trusting, clauses.test_m29_another_channel_is_refused, Rejected),
        (Resigned, clauses.test_m25_a_server_that_is_down_may_be_tried_again, Rejected),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_feed_that_errs_fails_its_clause(
    make: type[FakeMarketFeed], clause: Clause, error: type[HkexOpsError]
) -> None:
    with pytest.raises(error):
        await clause(live(make))


class BareBench(FakeMarketFeedBench):
    """A bench without a recovery channel."""

    @property
    def recovery_channel(self) -> int:
        return MarketFeedBench.recovery_channel.fget(self)  # type: ignore[attr-defined, no-any-return]


async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="no disaster recovery channel"):
        await clauses.test_m12_the_recovery_channel_is_heard_as_such(BareBench())
