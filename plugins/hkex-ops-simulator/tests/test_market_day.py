"""A simulated market day: the same seed the same day, and the bytes say what was generated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TypeVar

import pytest
from attrs import evolve

from hkex_ops.config.baskets import structure_baskets
from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import UsageError
from hkex_ops.omd.messages import (
    AddOrder,
    AggregateOrderBookUpdate,
    DeleteOrder,
    IndexData,
    Message,
    ModifyOrder,
    SecurityDefinition,
    SecurityStatus,
    Trade,
    TradingSessionStatus,
)
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.baskets import baskets_text
from hkex_ops_simulator.market.channels import INDEX, RECOVERY, REFERENCE, STATUS, Feed
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.lines import Delivery, Lines
from hkex_ops_simulator.market.packing import HEARTBEAT_NS, Packer, Sent
from hkex_ops_simulator.market.shape import CALM, Faults, Shape

SMALL = Shape(messages=2500, minutes=1, securities=40)
COUNTS = (0, 100, 103)
MATCHING, TRADING, CLOSED = 2, 3, 103
CODEC = load_codec()

K = TypeVar("K", bound=Message)


@cache
def day_of(shape: Shape = SMALL) -> tuple[MarketDay, list[Sent]]:
    day = MarketDay(shape)
    return day, list(day.sent())


@cache
def calm() -> list[Delivery]:
    """What arrives of the small day on two lines that lose nothing."""
    return arrivals(day_of()[1])


@cache
def everything() -> dict[int, dict[int, Message]]:
    """Every message of the small day, by channel and number."""
    return numbered(calm())


def arrivals(sent: Iterable[Sent], faults: Faults = CALM, seed: int = 1) -> list[Delivery]:
    return list(Lines(faults, seed).deliver(Packer(CODEC.encode_message).whole(sent)))


def numbered(deliveries: Iterable[Delivery]) -> dict[int, dict[int, Message]]:
    """What was received, by channel and number."""
    received: dict[int, dict[int, Message]] = defaultdict(dict)
    for one in deliveries:
        header, messages = CODEC.decode_packet(one.packet)
        received[one.channel] |= dict(enumerate(messages, start=header.sequence))
    return received


def of_kind(sent: Iterable[Sent], *kinds: type[K]) -> Iterator[K]:
    return (one.message for one in sent if isinstance(one.message, kinds))


class TestSeeds:
    def test_one_seed_makes_one_day_to_the_byte(self) -> None:
        again = arrivals(MarketDay(SMALL).sent())
        assert calm() == again

    def test_another_seed_makes_another_day(self) -> None:
        other = evolve(SMALL, seed=SMALL.seed + 1)
        assert day_of()[1] != day_of(other)[1]

    def test_what_the_lines_do_changes_nothing_that_is_sent(self) -> None:
        _, sent = day_of()
        assert everything() == numbered(arrivals(sent, Faults(), 7))

    @pytest.mark.parametrize("feed", Feed)
    def test_the_day_is_of_the_size_that_was_asked_for(self, feed: Feed) -> None:
        _, sent = day_of(evolve(SMALL, feed=feed, messages=10_000, minutes=5))
        dealt = [one for one in sent if one.channel not in (REFERENCE, STATUS, INDEX, RECOVERY)]
        assert 7_000 < len(dealt) < 13_000


class TestBytes:
    @pytest.mark.parametrize("feed", Feed)
    def test_they_decode_to_what_was_generated_in_its_order(self, feed: Feed) -> None:
        day, sent = day_of(evolve(SMALL, feed=feed))
        received = numbered(one for one in arrivals(sent) if one.line is FeedLine.A)
        for channel in (*day.channels, RECOVERY):
            expected = [one.message for one in sent if one.channel == channel]
            assert list(range(1, len(expected) + 1)) == list(received[channel])
            assert expected == list(received[channel].values())

    def test_times_run_forward_and_packets_stay_within_their_limits(self) -> None:
        (_, sent), deliveries = day_of(), calm()
        assert [one.time_ns for one in sent] == sorted(one.time_ns for one in sent)
        times = [one.time_ns for one in deliveries]
        assert times == sorted(times)
        assert max(len(one.packet) for one in deliveries) <= 1472
        headers = [CODEC.decode_packet(one.packet).header for one in deliveries]
        assert {0} == {header.send_time_ns % 1_000_000 for header in headers}
        assert len({header.filler for header in headers}) > 100

    def test_a_quiet_channel_says_every_two_seconds_how_far_it_is(self) -> None:
        said: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for one in calm():
            if one.line is FeedLine.A:
                header = CODEC.decode_packet(one.packet).header
                row = header.send_time_ns, header.sequence, header.message_count
                said[one.channel].append(row)
        for rows in said.values():
            gaps = [after[0] - before[0] for before, after in pairwise(rows)]
            assert max(gaps) <= HEARTBEAT_NS + 1_000_000
            last = 0
            for _, sequence, count in rows:
                assert (sequence == last) if not count else (sequence == last + 1)
                last = sequence + count - 1 if count else last

    def test_a_wireshark_reader_is_told_that_it_is_synthetic(self) -> None:
        day, sent = day_of()
        names = [one.security_short_name for one in of_kind(sent, SecurityDefinition)]
        assert len(day.universe.stocks) == len(names)
        assert all(name.startswith("SYNTHETIC ") for name in names)
        assert all("SYNTHETIC" in index.name for index in day.universe.indexes)


class TestLines:
    def test_whoever_listens_to_both_lines_has_everything(self) -> None:
        _, sent = day_of()
        lines = Lines(Faults(loss_a_ppm=50_000, loss_b_ppm=50_000, swap_ppm=20_000), 3)
        received = list(lines.deliver(Packer(CODEC.encode_message).whole(sent)))
        assert everything() == numbered(received)
        for line in (FeedLine.A, FeedLine.B):
            assert everything() != numbered(one for one in received if one.line is line)
        assert {"lost on A", "lost on B", "swapped", "duplicated", "split otherwise"} <= (
            lines.counts.keys()
        )

    def test_what_both_lines_lose_is_missing(self) -> None:
        whole = everything()
        received = numbered(arrivals(day_of()[1], evolve(CALM, both_ppm=100_000), 3))
        lost = sum(len(whole[channel]) - len(received[channel]) for channel in whole)
        assert lost > 100

    def test_line_b_has_other_boundaries_now_and_then(self) -> None:
        _, sent = day_of()
        by_line: dict[FeedLine, set[bytes]] = defaultdict(set)
        for one in arrivals(sent, evolve(CALM, resplit_ppm=300_000), 3):
            by_line[one.line].add(one.packet)
        assert len(by_line[FeedLine.B] - by_line[FeedLine.A]) > 50


class TestSessions:
    def test_the_day_runs_through_its_states_with_one_matching_indicator(self) -> None:
        _, sent = day_of()
        states = [
            one.trading_session_sub_id
            for one in of_kind(sent, TradingSessionStatus)
            if one.market_code == "MAIN"
        ]
        assert [100, 1, 101, 108, 2, 7, 3, 105, 5, 106, 107, 4, 103, 0] == states

    def test_a_day_with_an_afternoon_has_a_lunch(self) -> None:
        table = MarketDay(evolve(SMALL, minutes=180, messages=0)).timetable
        assert [3, 103, 104, 3] == [state.sub_id for state in table.states][6:10]
        assert [150, 30] == [span.length_ns // 60_000_000_000 for span in table.trading]

    def test_some_stocks_are_not_dealt_in_and_one_is_halted_for_a_while(self) -> None:
        _, sent = day_of()
        status = [
            (one.security_code, one.suspension_indicator) for one in of_kind(sent, SecurityStatus)
        ]
        assert [2, 2, 2, 2, 3] == [indicator for _, indicator in status]
        quiet = {code for code, _ in status[:3]}
        assert not quiet & {one.security_code for one in of_kind(sent, Trade)}


class TestTrades:
    def test_numbers_run_from_one_and_some_records_come_after_the_next(self) -> None:
        _, sent = day_of(evolve(SMALL, out_of_sequence_ppm=100_000))
        numbers: dict[int, list[int]] = defaultdict(list)
        for one in of_kind(sent, Trade):
            numbers[one.security_code].append(one.trade_id)
        assert all(list(range(1, len(ids) + 1)) == sorted(ids) for ids in numbers.values())
        late = sum(after < before for ids in numbers.values() for before, after in pairwise(ids))
        assert late > 10

    def test_kinds_that_move_no_index_are_among_them(self) -> None:
        _, sent = day_of(evolve(SMALL, messages=20_000))
        kinds = Counter(one.trade_type for one in of_kind(sent, Trade))
        assert {0, 4, 22, 100, 101, 102, 103} <= kinds.keys()


class TestBooks:
    def test_levels_never_cross_and_are_never_more_than_ten(self) -> None:
        _, sent = day_of()
        books: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for one in of_kind(sent, AggregateOrderBookUpdate):
            bids, offers = books[one.security_code]
            for entry in one.entries:
                levels, place = (bids, offers)[entry.side], entry.price_level - 1
                if entry.update_action == 0:
                    levels.insert(place, entry.price_3dp)
                elif entry.update_action == 2:
                    assert entry.price_3dp == levels.pop(place)
                assert levels == sorted(levels, reverse=entry.side == 0)
                assert len(levels) <= 10
            assert not (bids and offers) or bids[0] < offers[0]

    def test_an_order_is_changed_and_deleted_only_while_it_rests(self) -> None:
        _, sent = day_of(evolve(SMALL, feed=Feed.FULL_TICK))
        resting: set[tuple[int, int]] = set()
        for one in of_kind(sent, AddOrder, ModifyOrder, DeleteOrder):
            assert isinstance(one, AddOrder | ModifyOrder | DeleteOrder)
            key = one.security_code, one.order_id
            assert isinstance(one, AddOrder) == (key not in resting)
            (resting.discard if isinstance(one, DeleteOrder) else resting.add)(key)
        assert resting


class TestIndexes:
    def test_every_value_is_the_exact_sum_over_what_was_sent_before_it(self) -> None:
        """A reference of its own: fractions, last prices by number, half up."""
        day, sent = day_of(evolve(SMALL, out_of_sequence_ppm=50_000, indexes=5))
        last = {stock.code: (0, stock.previous_close_3dp) for stock in day.universe.stocks}
        closes = {code: price for code, (_, price) in last.items()}
        told = 0
        for one in sent:
            message = one.message
            if isinstance(message, Trade) and message.trade_type in COUNTS:
                code, number = message.security_code, message.trade_id
                last[code] = max(last[code], (number, message.price_3dp))
            if isinstance(message, IndexData):
                [index] = [i for i in day.universe.indexes if i.code == message.index_code]
                now, before = (
                    sum(Fraction(price(member.code)) * member.weight for member in index.members)
                    for price in (lambda code: last[code][1], closes.__getitem__)
                )
                exact = now / before * index.previous_close_cents
                assert int(exact + Fraction(1, 2)) * 100 == message.index_value_4dp
                told += 1
        assert told == len(day.published) == 5 * (1 + 30 + 1 + 1)

    def test_they_have_an_opening_real_time_values_and_two_closing_ones(self) -> None:
        day, _ = day_of()
        assert {"O": 2, "T": 60, "R": 2, "C": 2} == Counter(one.status for one in day.published)

    def test_forty_seven_indexes_over_2600_securities_make_a_basket_file_without_fault(
        self,
    ) -> None:
        shape = evolve(SMALL, securities=2600, indexes=47, messages=0, minutes=1)
        day = MarketDay(shape)
        baskets = structure_baskets(
            baskets_text(day.universe, shape.business_date), document="baskets.toml"
        )
        assert 47 == len({one.index for one in baskets})
        assert 2600 == len({stock.code for stock in day.universe.stocks})


class TestShapes:
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"securities": 3}, "a market cannot have securities 3: give 20 to 9000"),
            ({"indexes": 48}, "a market cannot have indexes 48: give 1 to 47"),
            ({"minutes": 331}, "a market cannot have minutes 331: give 1 to 330"),
            ({"groups": 0}, "a market cannot have groups 0: give 1 to 9"),
            ({"messages": -1}, "a market cannot have messages -1: give 0 to 50000000"),
        ],
    )
    def test_figures_that_make_no_market_are_refused_in_one_sentence(
        self, wrong: dict[str, int], sentence: str
    ) -> None:
        with pytest.raises(UsageError) as refused:
            Shape(**wrong)  # type: ignore[arg-type]
        assert sentence == str(refused.value)

    def test_a_line_that_loses_more_than_half_is_none(self) -> None:
        with pytest.raises(UsageError, match="loss a ppm 500001"):
            Faults(loss_a_ppm=500_001)
