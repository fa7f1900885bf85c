"""Bytes to fields and back: what fits is read in full, and what does not fit is never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError, WireError
from hkex_ops_oapi.codec import ByteOrder, Codec, Decoded, parse_type
from hkex_ops_oapi.headers import convert_header
from hkex_ops_oapi.layouts import Body, FieldKind, Items, LayoutField, Layouts, Record
from hkex_ops_simulator.oapi.build import header_text

ORDERS: tuple[ByteOrder, ...] = ("little", "big")

TYPE = (
    LayoutField("type.module_c", 0, 1, FieldKind.CHARACTER),
    LayoutField("type.server_c", 1, 1, FieldKind.CHARACTER),
    LayoutField("type.number_n", 2, 2, FieldKind.UINT),
)
EVERYTHING = Record(
    44,
    (
        *TYPE,
        LayoutField("whole_i", 4, 4, FieldKind.INT),
        LayoutField("counter_n", 8, 2, FieldKind.UINT),
        LayoutField("price_q", 10, 8, FieldKind.INT, decimals=2),
        LayoutField("text_s", 18, 6, FieldKind.TEXT),
        LayoutField("side_c", 24, 1, FieldKind.CHARACTER),
        LayoutField("lines_s", 25, 4, FieldKind.TEXT, lines=3),
        LayoutField("raw_x", 37, 2, FieldKind.BYTES),
        LayoutField("filler_s", 39, 1, FieldKind.FILLER),
        LayoutField("scale_c", 40, 1, FieldKind.UINT),
        LayoutField("scaled_n", 41, 2, FieldKind.UINT, decimals_field="scale_c"),
    ),
    ("CQ10",),
)
LIST = Record(
    6,
    (*TYPE, LayoutField("items_n", 4, 2, FieldKind.UINT)),
    ("CA3",),
    body=Body.ITEMS,
    items=Items("items_n", 3, (LayoutField("n", 0, 2, FieldKind.UINT),), 5),
)
HEADED = Record(
    6,
    (*TYPE, LayoutField("items_n", 4, 2, FieldKind.UINT)),
    ("CA10",),
    body=Body.HEADED_ITEMS,
    count="items_n",
)
BROADCAST = evolve(HEADED, codes=("BD6",), body=Body.SUB_ITEMS)
PART = Record(3, (LayoutField("n", 0, 2, FieldKind.UINT),), named_struct=3)
LAYOUTS = Layouts(
    1, {"all": EVERYTHING, "list": LIST, "headed": HEADED, "broadcast": BROADCAST, "part": PART}
)


def two(number: int, order: ByteOrder = "little") -> bytes:
    return number.to_bytes(2, order)


def sub_item(number: int, data: bytes) -> bytes:
    return two(number) + two(len(data) + 4) + data


def item(*sub_items: bytes) -> bytes:
    body = b"".join(sub_items)
    return two(len(sub_items)) + two(len(body) + 4) + body


def decode(data: bytes) -> Decoded:
    return Codec(LAYOUTS, "little").decode(data)


@pytest.mark.parametrize("order", ORDERS)
def test_every_kind_of_field_goes_there_and_back(order: ByteOrder) -> None:
    codec = Codec(LAYOUTS, order)
    stated: dict[str, Any] = {
        "whole_i": -7,
        "counter_n": 65535,
        "price_q": Decimal("123.45"),
        "text_s": "ABC",
        "side_c": "B",
        "lines_s": "one\ntwo",
        "raw_x": "00ff",
        "scale_c": 0,
        "scaled_n": Decimal(12),
    }
    data = codec.encode("CQ10", stated)
    assert (b"CQ" + two(10, order), 44) == (data[:4], len(data))
    assert stated == codec.decode(data).fields


def test_what_is_not_stated_is_blank_or_nought() -> None:
    data = Codec(LAYOUTS, "little").encode("CQ10", {})
    assert bytes(14) == data[4:18]
    assert b"      " == data[18:24]
    assert {"": 3} == {"": [*decode(data).fields.values()].count("")}


def test_dates_are_written_as_the_field_has_them() -> None:
    record = evolve(EVERYTHING, fields=(*TYPE, LayoutField("day_s", 4, 8, FieldKind.TEXT)))
    codec = Codec(Layouts(1, {"one": record}), "little")
    assert b"20190503" == codec.encode("CQ10", {"day_s": date(2019, 5, 3)})[4:12]


@pytest.mark.parametrize(
    ("byte", "expected"), [(0, ""), (32, ""), (66, "B"), (49, "1"), (1, "1"), (255, "255")]
)
def test_a_character_is_a_letter_or_its_number(byte: int, expected: str) -> None:
    data = bytearray(Codec(LAYOUTS, "little").encode("CQ10", {}))
    data[24] = byte
    assert expected == decode(bytes(data)).fields["side_c"]


def test_texts_end_at_a_nul_or_at_their_padding() -> None:
    data = bytearray(Codec(LAYOUTS, "little").encode("CQ10", {}))
    data[18:24] = b"AB\0old"
    assert "AB" == decode(bytes(data)).fields["text_s"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"whole_j": 1}, "CQ10 has no field 'whole_j' to set (all); did you mean 'whole_i'?"),
        ({"type.number_n": 28}, "has no field 'type.number_n' to set"),
        ({"filler_s": "x"}, "has no field 'filler_s' to set"),
        ({"whole_i": 2**31}, "whole_i of CQ10 cannot be 2147483648: it is int of 4 bytes"),
        ({"counter_n": -1}, "counter_n of CQ10 cannot be -1"),
        ({"counter_n": "x"}, "counter_n of CQ10 cannot be 'x'"),
        ({"counter_n": date(2019, 5, 3)}, "counter_n of CQ10 cannot be"),
        ({"price_q": Decimal("1.234")}, "price_q of CQ10 cannot be"),
        ({"text_s": "too long"}, "text_s of CQ10 cannot be 'too long': it is text of 6 bytes"),
        ({"text_s": "港"}, "text_s of CQ10 cannot be"),
        ({"lines_s": "1\n2\n3\n4"}, "it is text of 4 bytes and 3 lines"),
        ({"side_c": "AB"}, "side_c of CQ10 cannot be 'AB'"),
        ({"raw_x": "zz"}, "raw_x of CQ10 cannot be 'zz'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_a_field_is_refused(parameters: dict[str, Any], sentence: str) -> None:
    """The first four bytes can be set by nobody: the gate judges them."""
    with pytest.raises(UsageError) as caught:
        Codec(LAYOUTS, "little").encode("CQ10", parameters)
    assert sentence in str(caught.value)


def test_an_unknown_message_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="the layouts have no record of CQ11: did you mean 'CQ10'"):
        Codec(LAYOUTS, "little").encode("CQ11", {})


def test_items_are_counted() -> None:
    data = b"CA" + two(3) + two(2) + two(7) + b"x" + two(8) + b"y"
    assert ({"items_n": 2}, ({"n": 7}, {"n": 8})) == (decode(data).fields, decode(data).items)


def test_the_room_of_all_items_may_come_along() -> None:
    data = b"CA" + two(3) + two(1) + two(7) + b"x" * 13
    assert ({"n": 7},) == decode(data).items


def test_parts_are_told_by_their_number_and_unknown_ones_skipped() -> None:
    part = sub_item(3, two(9) + b"?")
    data = b"CA" + two(10) + two(2) + item(part, sub_item(99, b"news")) + item(part)
    decoded = decode(data)
    assert (({"part.n": 9}, {"part.n": 9}), {99: 1}) == (decoded.items, decoded.unknown_structs)
    assert ({"part.n": 9},) == decode(b"BD" + two(6) + two(1) + part).items


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "does not begin with a type"),
        (b"c1\x03\x00", "does not begin with a type"),
        (b"CA\x03", "does not begin with a type"),
        (b"CA\x03\x00\x01", "CA3 (list) needs 6 bytes and 5 came: it was cut short"),
        (b"CA\x03\x00\x02\x00\x07\x00x\x08\x00", "CA3 with 2 items needs 12 bytes and 11 came"),
        (b"CA\x03\x00\x06\x00" + bytes(18), "CA3 says 6 items, and the layout has room for 5"),
        (b"CA\x03\x00\x01\x00\x07\x00xNEWS", "CA3 came with 13 bytes, and its layout explains 9"),
        (b"CA\x03\x00\x01\x00\x07\x00x\xee\xee\xee", "too short for this answer"),
        (b"CA\x0a\x00\x01\x00\x01", "CA10, item 1 needs 10 bytes and 7 came"),
        (b"CA\x0a\x00\x01\x00\x01\x00\x03\x00", "CA10, item 1 says a size of 3"),
        (b"CA\x0a\x00\x01\x00" + two(1) + two(6) + b"ab", "CA10, item 1 needs 14 bytes"),
        (b"CA\x0a\x00\x01\x00" + two(0) + two(6) + b"ab", "2 bytes that nothing explains"),
        (b"BD\x06\x00\x01\x00" + two(3) + two(3) + b"x", "sub-item 3 says a size of 3"),
        (b"BD\x06\x00\x01\x00" + sub_item(3, b"abcd"), "the layouts are of another release"),
        (bytes(64_001), "64001 bytes are more than a message can have"),
    ],
)
def test_what_does_not_fit_its_layout_is_said(data: bytes, sentence: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(data)
    assert sentence in str(caught.value)


def test_an_unknown_number_of_decimals_is_said() -> None:
    data = bytearray(Codec(LAYOUTS, "little").encode("CQ10", {}))
    data[40] = 200
    with pytest.raises(WireError, match="scaled_n says 200 decimals"):
        decode(bytes(data))


def test_a_text_in_another_encoding_is_said() -> None:
    data = bytearray(Codec(LAYOUTS, "little").encode("CQ10", {}))
    data[18:20] = b"\xa4\xeb"
    with pytest.raises(WireError, match="state the encoding"):
        Codec(evolve(LAYOUTS, encoding="ascii"), "little").decode(bytes(data))
    big5 = Codec(evolve(LAYOUTS, encoding="big5"), "little")
    assert "月" == big5.decode(bytes(data)).fields["text_s"]


STAND_IN = convert_header(header_text(), document="h").layouts
CODES = sorted(code for record in STAND_IN.records.values() for code in record.codes)


@given(st.sampled_from(CODES), st.binary(max_size=3000), st.sampled_from(ORDERS))
def test_any_bytes_are_a_message_or_a_fault(code: str, data: bytes, order: ByteOrder) -> None:
    """Whatever comes after a type that is known: read in full, or refused; never a crash."""
    number = int(code[2:]).to_bytes(2, order)
    try:
        decoded = Codec(STAND_IN, order).decode(code[:2].encode() + number + data)
    except WireError:
        return
    assert code == decoded.code


@given(st.sampled_from(CODES), st.sampled_from(ORDERS), st.data())
def test_what_is_written_is_read(code: str, order: ByteOrder, data: st.DataObject) -> None:
    codec = Codec(STAND_IN, order)
    _, record = STAND_IN.of(code)
    whole = [one for one in record.fields if one.kind is FieldKind.INT and one.offset >= 4]
    stated = {
        one.name: data.draw(st.integers(-(2 ** (8 * one.size_bytes - 1)), 0)) for one in whole
    }
    message = codec.encode(code, stated)
    assert code == str(parse_type(message, order))
    assert record.size_bytes == len(message)
    found = codec.decode(message).fields
    assert stated == {name: found[name] for name in stated}
