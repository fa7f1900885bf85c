"""The house behind the stand-in: books that add up, answers that go on, events that are kept."""

from __future__ import annotations

import struct
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.model import SiteRole
from hkex_ops_simulator.oapi import records
from hkex_ops_simulator.oapi.books import TradeState, make_books
from hkex_ops_simulator.oapi.events import GENERAL, Event, EventQueue
from hkex_ops_simulator.oapi.faults import Faults
from hkex_ops_simulator.oapi.house import PRODUCTION_BASE, ClearingHouse, HouseShape
from hkex_ops_simulator.oapi.sessions import GatewaySession, Op, moment_of

DATES = (date(2019, 4, 30), date(2019, 5, 2), date(2019, 5, 3))
ANY = bytes(12)
BLANK = b" " * 8


def small(seed: int = 1) -> ClearingHouse:
    return ClearingHouse.made(
        seed, dates=DATES, shape=HouseShape(trades_a_day=12, trades=5, segment_items=30)
    )


def ask(house: ClearingHouse, code: str, facility: int, *values: int | bytes) -> bytes:
    body = records.ENQUIRIES[code].encode("<", code[:2], int(code[2:]), *values)
    reply = house.take("query_ex", PRODUCTION_BASE + facility, body, "<", "somebody", "a gateway")
    assert (0, 0) == (reply.status, reply.txstat)
    return reply.data


def groups_of(house: ClearingHouse) -> list[bytes]:
    return [
        records.SERIES.encode("<", one.country, one.market, one.number, 0, 0, 0, 0)
        for one in house.books.groups
    ]


def items(data: bytes, head: int, size: int) -> list[bytes]:
    assert (len(data) - head) % size == 0
    return [data[at : at + size] for at in range(head, len(data), size)]


# -- books ---------------------------------------------------------------------------------------


def test_the_same_seed_and_dates_give_the_same_books() -> None:
    seals = [make_books(seed, DATES, trades=5).digest() for seed in (1, 1, 2)]
    assert (seals[0], True) == (seals[1], seals[0] != seals[2])


def test_positions_are_the_trades_over_the_opening() -> None:
    """Added up here once more, without the house's own way of closing."""
    books = make_books(3, DATES, trades=30)
    nets = Counter[tuple[str, str]]()
    for (series, account), (held, written) in books.openings.items():
        nets[series.id, account] += held - written
    for one in books.trades:
        nets[one.series.id, one.account] += one.quantity if one.bought else -one.quantity
    found = {
        (one.series.id, one.account): one.held - one.written for one in books.positions(DATES[2])
    }
    assert {key: net for key, net in nets.items() if net} == {
        key: net for key, net in found.items() if net
    }
    assert all(one.held >= 0 and one.written >= 0 for one in books.positions(DATES[2]))


def test_sequence_numbers_run_in_each_group_and_business_date() -> None:
    books = make_books(3, DATES, trades=9)
    for day in DATES:
        for group in books.groups:
            assert list(range(1, 10)) == [one.sequence for one in books.of(group, day)]
    assert len(books.trades) == len({one.number for one in books.trades})


def test_trades_of_the_evening_belong_to_the_next_business_date() -> None:
    books = make_books(3, DATES, trades=40)
    evening = [one for one in books.trades if one.traded_at.date() != one.business_date]
    assert {date(2019, 4, 29), date(2019, 4, 30), date(2019, 5, 2)} == {
        one.traded_at.date() for one in evening
    }


def test_a_rectified_trade_is_told_as_it_is_now_and_as_a_change() -> None:
    house = small()
    number = house.books.trades[-1].number
    change = house.tell_change(number, account="MM01")
    assert ("MM01", TradeState.RECTIFIED) == (change.trade.account, change.trade.state)
    assert house.books.trades[-1] == change.trade
    with pytest.raises(UsageError, match="no trade 1"):
        house.tell_change(1)


# -- enquiries -----------------------------------------------------------------------------------


def test_trades_by_dates_go_on_from_date_to_date() -> None:
    house, found = small(), 0
    for group in groups_of(house):
        day, first = DATES[0], 1
        while True:
            spelt = f"{day:%Y%m%d}".encode()
            data = ask(house, "CQ11", 5, group, spelt, b"20190503", first, 0, 0)
            _, _, _, _, first, count, following = records.DATES_HEAD.decode("<", data[:38])
            found += int(count)
            if not following.strip():
                break
            day = date.fromisoformat(following.decode())
            assert isinstance(first, int)
    assert len(house.books.trades) == found == 180


def test_changes_of_trades_go_on_by_their_own_sequence() -> None:
    house = small()
    for group in groups_of(house):
        found = [
            records.CHANGE_ITEM.decode("<", one)
            for one in items(ask(house, "CQ39", 3, group, 1, 0, 0), 6, 64)
        ]
        assert [1, 2] == [one[2] for one in found]
        assert [] == items(ask(house, "CQ39", 3, group, 3, 0, 0), 6, 64)


def test_positions_of_earlier_dates_come_with_their_date() -> None:
    house, dates, number = small(), Counter[bytes](), 1
    while number:
        data = ask(house, "CQ122", 5, ANY, b" " * 21, BLANK, BLANK, number)
        (spelt, _) = struct.unpack_from("<HH", data, 28)
        dates.update(one[:8] for one in items(data, 32, 75))
        number = number + 1 if spelt else 0
    assert {f"{day:%Y%m%d}".encode(): len(house.books.positions(day)) for day in DATES} == dates


def test_positions_of_one_account_and_one_market() -> None:
    house = small()
    market = bytes((0, 62)) + bytes(10)
    data = ask(house, "CQ3", 3, 1, market, b"ZZSYN01HOUSE".ljust(21), BLANK)
    found = [records.POSITION_ITEM.decode("<", one) for one in items(data, 40, 92)]
    wanted = [
        one
        for one in house.books.positions(DATES[2])
        if one.account == "HOUSE" and one.series.market == 62
    ]
    assert [(one.held, one.written) for one in wanted] == [(one[3], one[4]) for one in found]


def test_dates_signals_texts_and_what_a_user_may() -> None:
    house = small()
    house.tell_text("SYNTHETIC: be ready", "for something", urgent=True)
    assert b"20190503" == ask(house, "UQ12", 1, b"")[4:12]
    signals = items(ask(house, "UQ9", 1, BLANK, 0, 1), 8, 70)
    assert [901, 902] == [records.SIGNAL.decode("<", one)[2] for one in signals]
    texts = items(ask(house, "UQ13", 1, BLANK, 2, 1), 8, 405)
    assert [b"SYNTHETIC: be ready"] == [one[45:117].rstrip() for one in texts]
    allowed = items(ask(house, "DQ30", 0, b" " * 12), 16, 6)
    assert b"CQ" + struct.pack("<H", 10) == allowed[0][:4]
    assert 4 == len(items(ask(house, "CQ38", 3, b" " * 21, 1), 8, 64))
    assert house.books.series[0].id.encode() == ask(house, "DQ2", 0, ANY, 1)[20:38].rstrip()


def test_another_date_than_the_business_date_has_no_trades_of_today() -> None:
    house = small()
    data = ask(house, "CQ10", 3, groups_of(house)[0], b"20190505", 1, 0, b"")
    assert (20, 0) == (len(data), struct.unpack_from("<H", data, 16)[0])


def test_a_variant_of_an_enquiry_is_not_an_enquiry() -> None:
    house = small()
    for number in (3 + 256, 3 + 2048, 10 + 256):
        house.take("query_ex", 173, b"CQ" + struct.pack("<H", number), "<", "somebody", "g")
    assert ["CQ259", "CQ2051", "CQ266"] == [one.code for one in house.changed]


@given(st.binary(max_size=120), st.integers(0, 200), st.sampled_from(["<", ">"]))
def test_no_message_whatever_breaks_the_house(body: bytes, facility: int, order: str) -> None:
    _ONE.take("query_ex", facility, body, "<" if order == "<" else ">", "somebody", "a gateway")


@given(
    st.sampled_from(sorted(records.ENQUIRIES)),
    st.binary(max_size=80),
    st.integers(0, 9),
)
def test_no_enquiry_whatever_breaks_the_house(code: str, rest: bytes, offset: int) -> None:
    size = records.ENQUIRIES[code].size
    body = records.TYPE.encode("<", code[:2], int(code[2:])) + rest.ljust(size, b"\0")[: size - 4]
    before = _ONE.books.digest()
    _ONE.take("query_ex", 170 + offset, body, "<", "somebody", "a gateway")
    assert before == _ONE.books.digest()


_ONE = small(9)


# -- events --------------------------------------------------------------------------------------


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=30),
    st.integers(60, 400),
    st.booleans(),
    st.booleans(),
)
def test_every_event_is_read_once_and_in_order(
    told: list[bytes], room: int, many: bool, handles: bool
) -> None:
    queue = EventQueue("<", Faults(handles=handles), {GENERAL})
    for one in told:
        queue.put(Event(GENERAL, lambda order, one=one: one))
    found, statuses = list[bytes](), list[int]()
    while True:
        status, data = queue.read(room, many=many)
        statuses.append(status)
        if status == -26:
            break
        assert len(data) <= room
        at = 0
        while True:
            at += 4 if handles else 0
            length = int.from_bytes(data[at : at + 2], "little")
            if not length:
                break
            found.append(data[at + 2 : at + 2 + length])
            at += 2 + length
    assert told == found
    assert {0, 4, -26} >= set(statuses)


def test_an_event_that_nobody_subscribed_to_is_not_kept_unless_it_is_forced() -> None:
    queue = EventQueue("<", Faults())
    queue.put(Event(GENERAL, lambda _: b"one"))
    assert (-26, b"") == queue.read(100, many=True)
    queue.put(Event(GENERAL, lambda _: b"one", forced=True))
    assert b"\3\0one" == queue.read(100, many=True)[1].rstrip(b"\0")


def test_a_moment_has_the_name_of_the_message_in_either_order() -> None:
    wanted = ["CQ10", "CQ10", "info-14", "poll", "show", "subscribe", "logout"]
    assert wanted == [
        moment_of(Op.QUERY, b"\0\0\0\0CQ\n\0"),
        moment_of(Op.QUERY, b"\0\0\0\0CQ\0\n"),
        moment_of(Op.INFO, struct.pack("=I", 14)),
        moment_of(Op.READ_EVENT, struct.pack("=IIII", 999, 1, 1, 0)),
        moment_of(Op.READ_EVENT, struct.pack("=IIII", 1000, 1, 1, 0)),
        moment_of(Op.SET_EVENT, struct.pack("=I", 1)),
        moment_of(Op.LOGOUT, b""),
    ]


def test_a_session_that_nobody_logged_in_to_is_answered_nothing() -> None:
    session = GatewaySession(small(), "a gateway", SiteRole.PRIMARY)
    assert {-5} == {session.call(op, 0, bytes(16), []).status for op in Op if op is not Op.LOGIN}
