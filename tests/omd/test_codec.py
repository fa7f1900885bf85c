"""Bytes to messages and back: exact, and by each message's own size."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from hkex_ops.config.layouts import SPECS, load_codec
from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd import (
    NULL_INT64,
    AddOrder,
    AggregateOrderBookUpdate,
    BookEntry,
    BrokerQueue,
    ConnectSecurityDefinition,
    CurrencyRate,
    IndexData,
    LiquidityProvider,
    Logon,
    MarketDefinition,
    Message,
    News,
    PacketHeader,
    SecurityDefinition,
    SequenceReset,
    Trade,
    TradingSessionStatus,
    Underlying,
    UnknownMessage,
    ascii_text,
    day_of,
    read_header,
    scaled,
    walk,
)
from tests.omd.wire import SENT_NS, drawn_message, drawn_packet, layouts_of, packet_of, seeds

CODEC = load_codec()

TRADE = Trade(5, 17, 61_850, 400, 0, b"  ", SENT_NS)
TRADE_BYTES = bytes.fromhex("2000 3200 05000000 11000000 9af10000 90010000 0000 2020") + (
    SENT_NS.to_bytes(8, "little")
)


def test_a_trade_is_a_tuple_of_its_fields() -> None:
    assert TRADE == CODEC.decode_message(TRADE_BYTES)
    assert TRADE_BYTES == CODEC.encode_message(TRADE)
    assert Trade.TYPE == 50


@given(chance=seeds, spec=st.sampled_from(SPECS), tail_bytes=st.sampled_from((0, 0, 1, 40)))
def test_whatever_a_message_carries_it_encodes_to_the_same_bytes(
    chance: random.Random, spec: str, tail_bytes: int
) -> None:
    """Dirty fillers, NUL or space, values outside every enumeration, a tail of a newer version."""
    codec = load_codec(spec)
    raw = drawn_message(chance, chance.choice(layouts_of(spec)), tail_bytes=tail_bytes)
    assert raw == codec.encode_message(codec.decode_message(raw))


@given(chance=seeds, spec=st.sampled_from(SPECS))
def test_whatever_a_packet_carries_it_encodes_to_the_same_bytes(
    chance: random.Random, spec: str
) -> None:
    codec = load_codec(spec)
    packet = drawn_packet(chance, layouts_of(spec))
    codec.check(packet)
    header, messages = codec.decode_packet(packet)
    assert packet == codec.encode_packet(
        messages,
        sequence=header.sequence,
        send_time_ns=header.send_time_ns,
        filler=header.filler,
    )
    walked = [(one.sequence, one.type) for one in walk(packet)]
    types = [one.type if isinstance(one, UnknownMessage) else one.TYPE for one in messages]
    assert list(enumerate(types, start=header.sequence)) == walked


@given(chance=seeds, spec=st.sampled_from(SPECS))
def test_the_source_may_be_any_buffer(chance: random.Random, spec: str) -> None:
    codec = load_codec(spec)
    packet = drawn_packet(chance, layouts_of(spec))
    expected = codec.decode_packet(packet)
    for buffer in (bytearray(packet), memoryview(packet), memoryview(bytearray(packet))):
        assert expected == codec.decode_packet(buffer)
        assert codec.check(packet) == codec.check(buffer)


def test_what_a_longer_message_has_behind_its_fields_is_kept() -> None:
    longer = TRADE_BYTES.replace(b"\x20\x00\x32", b"\x23\x00\x32", 1) + b"new"
    assert TRADE._replace(tail=b"new") == CODEC.decode_message(longer)
    assert (TRADE._replace(tail=b"new"), TRADE) == CODEC.decode_packet(
        packet_of([longer, TRADE_BYTES])
    ).messages
    assert longer == CODEC.encode_message(TRADE._replace(tail=b"new"))


def test_a_message_shorter_than_its_fields_is_refused() -> None:
    shorter = b"\x1f\x00" + TRADE_BYTES[2:-1]
    with pytest.raises(WireError) as caught:
        CODEC.decode_packet(packet_of([TRADE_BYTES, shorter]))
    assert (
        "the message says 31 bytes, and Trade has 32 (offset 48, message type 50, omd-c-1.45)"
        == str(caught.value)
    )
    assert (48, 50, "omd-c-1.45") == (
        caught.value.offset,
        caught.value.message_type,
        caught.value.spec,
    )


def test_a_group_larger_than_its_message_is_refused() -> None:
    book = CODEC.encode_message(
        AggregateOrderBookUpdate(5, b"   ", (BookEntry(1, 2, 3, 0, 1, 0, b"    "),))
    )
    two = book[:11] + b"\x02" + book[12:]
    with pytest.raises(WireError, match=r"says 36 bytes, and AggregateOrderBookUpdate has 60"):
        CODEC.decode_packet(packet_of([two]))


def test_an_unknown_type_is_kept_as_it_came() -> None:
    raw = bytes.fromhex("0900 e703 0102030405")
    assert UnknownMessage(999, b"\1\2\3\4\5") == CODEC.decode_message(raw)
    packet = packet_of([raw, TRADE_BYTES])
    assert (UnknownMessage(999, b"\1\2\3\4\5"), TRADE) == CODEC.decode_packet(packet).messages
    assert raw == CODEC.encode_message(UnknownMessage(999, b"\1\2\3\4\5"))


def test_a_type_of_another_version_is_unknown_to_this_one() -> None:
    status = load_codec("omd-cc-1.4").decode_message(TRADE_BYTES)
    assert UnknownMessage(50, TRADE_BYTES[4:]) == status


# Meanings


def test_padding_is_space_or_nul() -> None:
    raw = b"MAIN" + b"MAIN BOARD".ljust(25, b"\0") + b"HKD" + bytes(4)
    market = CODEC.decode_message(b"\x28\x00\x0a\x00" + raw)
    assert isinstance(market, MarketDefinition)
    assert ("MAIN", "MAIN BOARD", "HKD") == (
        market.market_code,
        market.market_name,
        market.currency_code,
    )
    assert "" == ascii_text(b" \0 \0") == ascii_text(b"")
    assert "A�" == ascii_text(b"A\xff ")


def test_an_unknown_value_of_an_index_is_none() -> None:
    index = CODEC.blank(IndexData)._replace(
        index_code_ascii=b"0000100",
        index_value_4dp_int64=265_071_200,
        high_value_4dp_int64=NULL_INT64,
        net_change_percent_4dp=13_300,
    )
    read = CODEC.decode_message(CODEC.encode_message(index))
    assert isinstance(read, IndexData)
    assert ("0000100", 265_071_200, None, 13_300) == (
        read.index_code,
        read.index_value_4dp,
        read.high_value_4dp,
        read.net_change_percent_4dp,
    )
    assert NULL_INT64 == read.high_value_4dp_int64


def test_a_security_says_what_it_means() -> None:
    security = CODEC.blank(SecurityDefinition)._replace(
        security_name_gccs_utf16="恒生銀行".encode("utf-16-le").ljust(60, b"\0"),
        security_name_gb_utf16="恒生银行".encode("utf-16-le"),
        listing_date_yyyymmdd=19_720_620,
        delisting_date_yyyymmdd=0,
        face_value_unscaled=1_000_050,
        decimals_in_face_value=2,
        call_price_unscaled=24_500,
        decimals_in_call_price=0,
        entitlement_unscaled=125,
        decimals_in_entitlement=3,
        underlyings=(Underlying(11, b"\0F P"),),
    )
    read = CODEC.decode_message(CODEC.encode_message(security))
    assert isinstance(read, SecurityDefinition)
    assert ("恒生銀行", "恒生银行") == (read.security_name_gccs, read.security_name_gb)
    assert (date(1972, 6, 20), None) == (read.listing_date, read.delisting_date)
    assert (Decimal("10000.50"), Decimal(24_500), Decimal("0.125")) == (
        read.face_value,
        read.call_price,
        read.entitlement,
    )
    assert (Underlying(11, b"\0F P"),) == read.underlyings


@pytest.mark.parametrize("number", [0, 19_000_101, 20_261_301, 99_999_999, 4_294_967_295])
def test_what_is_no_date_is_none(number: int) -> None:
    assert day_of(number) is None


def test_scale_is_exact() -> None:
    assert Decimal("61.850") == scaled(61_850, 3)
    assert "61.850" == str(scaled(61_850, 3))


@pytest.mark.parametrize(
    ("type", "encoding"), [(b"EXN", "ascii"), (b"EXC", "utf-16-le")], ids=["english", "chinese"]
)
def test_news_is_read_in_its_language(type: bytes, encoding: str) -> None:
    text = "HSI" if encoding == "ascii" else "恒指"
    pad = " ".encode(encoding)
    news = CODEC.blank(News)._replace(
        news_type_ascii=type,
        headline_raw=text.encode(encoding) + pad * 100,
        market_codes_ascii=(b"MAIN", b"GEM "),
        security_codes=(5, 11),
        lines_raw=tuple(one.encode(encoding) + pad * 10 for one in (text, "")),
    )
    read = CODEC.decode_message(CODEC.encode_message(news))
    assert isinstance(read, News)
    assert (text, (text, ""), ("MAIN", "GEM"), (5, 11)) == (
        read.headline,
        read.lines,
        read.market_codes,
        read.security_codes,
    )


def test_a_book_may_be_empty_and_a_queue_full() -> None:
    empty = AggregateOrderBookUpdate(5, b"   ", ())
    assert empty == CODEC.decode_message(CODEC.encode_message(empty))
    full = CODEC.blank(BrokerQueue)._replace(items=(CODEC.blank(BrokerQueue).items) * 40)
    assert full == CODEC.decode_message(CODEC.encode_message(full))


# Packets


def test_a_heartbeat_is_a_packet_of_no_message() -> None:
    heartbeat = CODEC.encode_packet([], sequence=7, send_time_ns=SENT_NS, filler=0xC6)
    assert packet_of([], sequence=7, filler=0xC6) == heartbeat
    header, messages = CODEC.decode_packet(heartbeat)
    assert PacketHeader(16, 0, 0xC6, 7, SENT_NS) == header == read_header(heartbeat)
    assert header.is_heartbeat
    assert () == messages


def test_some_messages_at_the_start_can_be_left_out() -> None:
    packet = CODEC.encode_packet(
        [TRADE._replace(trade_id=number) for number in (1, 2, 3)], sequence=1, send_time_ns=0
    )
    read = CODEC.decode_packet(packet, skip=2)
    assert ((3,), 3) == (
        tuple(one.trade_id for one in read.messages if isinstance(one, Trade)),
        read.header.message_count,
    )


def test_a_packet_holds_121_messages_in_1468_bytes() -> None:
    """As many as a capture of the exchange shows: liquidity providers of one broker each."""
    providers = [LiquidityProvider(code, (4_321,)) for code in range(1, 122)]
    [packet] = CODEC.pack(providers, sequence=1, send_time_ns=SENT_NS)
    assert 16 + 121 * 12 == len(packet)
    assert tuple(providers) == CODEC.decode_packet(packet).messages


def test_a_packet_takes_1472_bytes_and_not_one_more() -> None:
    body = 1472 - 16 - 4
    [packet] = CODEC.pack([UnknownMessage(999, bytes(body))], sequence=1, send_time_ns=SENT_NS)
    assert 1472 == len(packet)
    assert UnknownMessage(999, bytes(body)) == CODEC.decode_packet(packet).messages[0]
    longer = packet_of([(body + 5).to_bytes(2, "little") + b"\xe7\x03" + bytes(body + 1)])
    with pytest.raises(WireError, match="16 to 1472 bytes, and this one says 1473"):
        CODEC.decode_packet(longer)
    with pytest.raises(UsageError, match="no packet has room"):
        CODEC.encode_message(UnknownMessage(999, bytes(body + 1)))


@given(
    sizes=st.lists(st.integers(0, 1452), max_size=30),
    sequence=st.integers(1, 2**31),
)
def test_packing_keeps_order_and_numbers_and_wastes_no_packet(
    sizes: list[int], sequence: int
) -> None:
    messages: list[Message] = [UnknownMessage(999, bytes(size)) for size in sizes]
    packets = CODEC.pack(messages, sequence=sequence, send_time_ns=SENT_NS)
    read: list[Message] = []
    for packet in packets:
        header, some = CODEC.decode_packet(packet)
        assert sequence + len(read) == header.sequence
        read += some
    assert messages == read
    for before, after in pairwise(packets):
        first = 4 + len(CODEC.decode_packet(after).messages[0].body)  # type: ignore[union-attr]
        assert len(before) + first > 1472


def test_very_short_messages_are_packed_by_the_255_that_a_header_can_count() -> None:
    packets = CODEC.pack([UnknownMessage(999, b"")] * 300, sequence=1, send_time_ns=SENT_NS)
    assert [(1, 255), (256, 45)] == [
        read_header(one)[3:4] + read_header(one)[1:2] for one in packets
    ]


# What cannot be written


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (TRADE._replace(quantity=2**32), "Trade.quantity is uint32, and cannot be 4294967296"),
        (TRADE._replace(price_3dp=2**31), "Trade.price_3dp is int32, and cannot be 2147483648"),
        (TRADE._replace(trade_id=-1), "Trade.trade_id is uint32, and cannot be -1"),
        (Logon(b"thirteen-long"), "Logon.username_ascii is at most 12 bytes, not b'thirteen-long'"),
        (LiquidityProvider(5, (70_000,)), "broker_number is uint16, and cannot be 70000"),
        (
            AggregateOrderBookUpdate(5, b"", (BookEntry(1, 1, 1, 1, 1, 1, b""),) * 256),
            "NoEntries is uint8, and cannot be 256",
        ),
        (
            AggregateOrderBookUpdate(5, b"", (BookEntry(1, 1, 1, 1, 1, 1, b""),) * 61),
            "of 1476 bytes fits in no packet of 1472",
        ),
        (
            load_codec("omd-cc-1.4").blank(ConnectSecurityDefinition),
            "ConnectSecurityDefinition is no message of omd-c-1.45",
        ),
        (UnknownMessage(70_000, b""), "no packet has room for message type 70000"),
    ],
)
def test_what_has_no_room_is_the_callers_fault(message: Message, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        CODEC.encode_message(message)
    assert sentence in str(caught.value)


def test_text_for_bytes_is_the_callers_fault() -> None:
    with pytest.raises(UsageError, match=r"Logon\.username_ascii is at most 12 bytes, not 'user'"):
        CODEC.encode_message(Logon("user"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sequence", "send_time_ns", "filler"), [(-1, 0, 0), (2**32, 0, 0), (1, 2**64, 0), (1, 0, 256)]
)
def test_a_header_that_has_no_room_is_the_callers_fault(
    sequence: int, send_time_ns: int, filler: int
) -> None:
    with pytest.raises(UsageError, match="a packet header has no room"):
        CODEC.encode_packet([], sequence=sequence, send_time_ns=send_time_ns, filler=filler)


def test_too_many_messages_for_a_packet_are_the_callers_fault() -> None:
    with pytest.raises(UsageError, match="not for 46 of 1488 bytes together"):
        CODEC.encode_packet([TRADE] * 46, sequence=1, send_time_ns=0)


def test_short_text_is_padded_as_its_field_is() -> None:
    raw = CODEC.encode_message(CODEC.blank(MarketDefinition)._replace(market_name_ascii=b"GEM"))
    assert b"GEM" + b" " * 22 == raw[8:33]
    assert b"user" + bytes(8) == CODEC.encode_message(Logon(b"user"))[4:]


@pytest.mark.parametrize("spec", SPECS)
def test_a_blank_message_says_nothing(spec: str) -> None:
    codec = load_codec(spec)
    for kind in codec.kinds.values():
        blank = codec.blank(kind)
        assert isinstance(blank, kind)
        assert blank == codec.decode_message(codec.encode_message(blank))
    assert TradingSessionStatus(b"    ", b" ", 0, 0, b" ", b"    ", 0, 0) == load_codec().blank(
        TradingSessionStatus
    )
    assert 16 == len(CODEC.encode_message(CODEC.blank(CurrencyRate)))


# Malformed


@pytest.mark.parametrize("length", range(16))
def test_less_than_a_header_is_no_packet(length: int) -> None:
    with pytest.raises(WireError, match=f"begins with 16 bytes, and here are {length}"):
        CODEC.decode_packet(packet_of([TRADE_BYTES])[:length])


@pytest.mark.parametrize(
    ("packet", "offset", "type", "sentence"),
    [
        (packet_of([TRADE_BYTES]) + b"\0", 0, None, "the packet says 48 bytes, and 49 came"),
        (packet_of([TRADE_BYTES])[:-1], 0, None, "the packet says 48 bytes, and 47 came"),
        (b"\x0f\x00" + packet_of([])[2:], 0, None, "this one says 15"),
        (packet_of([TRADE_BYTES] * 46), 0, None, "this one says 1488"),
        (packet_of([b"\3\0\x32\0"]), 16, 50, "the message says 3 bytes, and 4 are left"),
        (packet_of([b"\0\0\x32\0"]), 16, 50, "the message says 0 bytes, and 4 are left"),
        (packet_of([b"\5\0\xe7\3"]), 16, 999, "the message says 5 bytes, and 4 are left"),
        (packet_of([TRADE_BYTES, b"\4\0"]), 48, None, "begins with 4 bytes, and 2 are left"),
        (packet_of([TRADE_BYTES[:-1]]), 16, 50, "the message says 32 bytes, and 31 are left"),
        (
            packet_of([TRADE_BYTES + b"\4\0\xe7\3"]),
            48,
            None,
            "the last message ends here, and the packet 4 bytes later",
        ),
    ],
)
def test_a_malformed_packet_says_where(
    packet: bytes, offset: int, type: int | None, sentence: str
) -> None:
    """By decoding, by checking and by walking alike."""
    for read in (CODEC.decode_packet, CODEC.check, lambda data: list(walk(data, spec=CODEC.spec))):
        with pytest.raises(WireError) as caught:
            read(packet)
        assert sentence in str(caught.value)
        assert (offset, type, "omd-c-1.45") == (
            caught.value.offset,
            caught.value.message_type,
            caught.value.spec,
        )


@pytest.mark.parametrize(
    ("offset", "sentence"), [(31, "begins with 4 bytes, and 1 are left"), (0, "and 20 are left")]
)
def test_a_message_cut_short_says_where(offset: int, sentence: str) -> None:
    data = TRADE_BYTES if offset else TRADE_BYTES[:20]
    with pytest.raises(WireError, match=sentence):
        CODEC.decode_message(data, offset)


def test_checking_says_where_the_first_sequence_reset_is() -> None:
    trade, reset = CODEC.encode_message(TRADE), CODEC.encode_message(SequenceReset(1))
    assert [-1, 0, 2] == [
        CODEC.check(packet_of(messages))
        for messages in ([trade], [reset, trade], [trade, trade, reset, reset])
    ]


def test_an_odd_sequence_reset_is_found_too() -> None:
    longer = b"\x0a\x00" + CODEC.encode_message(SequenceReset(1))[2:] + b"xy"
    assert 1 == CODEC.check(packet_of([TRADE_BYTES, longer]))


def test_one_codec_serves_whoever_asks_for_its_version() -> None:
    assert load_codec("omd-c-1.45") is load_codec("omd-c-1.45")
    assert AddOrder is CODEC.kinds[30]
    assert {10, 610} == {10, 610} & (set(CODEC.kinds) | set(load_codec("omd-cc-1.4").kinds))


@settings(max_examples=20)
@given(chance=seeds)
def test_a_blank_of_another_version_is_refused(chance: random.Random) -> None:
    kind = chance.choice(list(load_codec("omd-cc-1.4").kinds.values()))
    if kind in load_codec().kinds.values():
        assert load_codec().blank(kind)
    else:
        with pytest.raises(UsageError, match="is no message of omd-c-1"):
            load_codec().blank(kind)
