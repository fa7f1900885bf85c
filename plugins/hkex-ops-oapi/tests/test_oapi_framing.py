"""Events in a buffer: both forms, any split, any garbage; bounded, and never a crash."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, strategies as st

from hkex_ops_oapi.codec import ByteOrder
from hkex_ops_oapi.framing import Framed, FramedEvent, frame_events

HOST: ByteOrder = "little" if sys.byteorder == "little" else "big"
ANY = 0xFFFFFFFF

orders = st.sampled_from(["little", "big"])
payloads = st.builds(
    lambda letters, rest: letters.encode() + rest,
    st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), min_size=2, max_size=2),
    st.binary(min_size=2, max_size=300),
)
handles = st.none() | st.just(ANY)
events = st.lists(st.builds(FramedEvent, payloads, handles), max_size=20)


def framed(events: list[FramedEvent], order: ByteOrder, tail: bytes = b"") -> bytes:
    data = b""
    for event in events:
        if event.handle is not None:
            data += event.handle.to_bytes(4, order)
        data += len(event.data).to_bytes(2, order) + event.data
    return data + tail


@given(events, orders, st.integers(0, 3))
def test_what_was_framed_comes_out(
    events: list[FramedEvent], order: ByteOrder, trailing: int
) -> None:
    """With handles, without, and mixed as forced broadcasts are; up to three NULs at the end."""
    assert Framed(tuple(events)) == frame_events(framed(events, order, bytes(trailing)), order)


@given(events, orders)
def test_a_length_of_nought_ends_the_buffer(events: list[FramedEvent], order: ByteOrder) -> None:
    data = framed(events, order, bytes(2) + b"whatever lay there before")
    assert Framed(tuple(events)) == frame_events(data, order)


@given(st.lists(st.builds(FramedEvent, payloads, st.integers(0, ANY)), max_size=10), orders)
def test_any_handle_is_read_where_events_were_listed(
    events: list[FramedEvent], order: ByteOrder
) -> None:
    """The second form is ambiguous by nature; what is told is always an event that fits."""
    found = frame_events(framed(events, order), order, listed=True)
    assert all(len(one.data) >= 4 for one in found.events)
    if all(event.handle in (ANY, None) for event in events):
        assert Framed(tuple(events)) == found


@given(events, orders, st.data())
def test_a_buffer_cut_anywhere_gives_a_beginning_and_says_so(
    events: list[FramedEvent], order: ByteOrder, data: st.DataObject
) -> None:
    """Nothing is made up: what comes out are the events that were there whole, in order."""
    whole = framed(events, order)
    cut = data.draw(st.integers(0, len(whole)))
    found = frame_events(whole[:cut], order)
    assert tuple(events[: len(found.events)]) == found.events
    read = len(framed(list(found.events), order))
    if found.fault:
        assert read == found.fault_offset
    else:
        assert not any(whole[read:cut])


@given(events, orders, st.data())
def test_a_buffer_split_between_events_is_the_same(
    events: list[FramedEvent], order: ByteOrder, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(events)))
    parts = [framed(part, order) for part in (events[:place], events[place:])]
    found = [one for part in parts for one in frame_events(part, order).events]
    assert events == found


@given(st.binary(max_size=2000), orders, st.booleans())
def test_any_garbage_is_bounded(data: bytes, order: ByteOrder, listed: bool) -> None:
    """No exception, and no byte is told twice."""
    found = frame_events(data, order, listed=listed)
    assert sum(len(one.data) + 2 for one in found.events) <= len(data)
    assert 0 <= found.fault_offset <= len(data)


@given(events, st.binary(min_size=4, max_size=200), orders)
def test_garbage_after_events_does_not_spoil_them(
    events: list[FramedEvent], garbage: bytes, order: ByteOrder
) -> None:
    found = frame_events(framed(events, order) + garbage, order)
    assert tuple(events) == found.events[: len(events)]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x01", "no length and 1 bytes are left"),
        (b"\x05\x00BD\x06", "a length of 5 and 5 bytes are left"),
        (b"\x02\x00BD\x06\x00", "a length of 2, too short for an event"),
        (b"\xff\xff\xff\xff\x00\x00", "a length of 0, too short for an event"),
        (b"\xff\xff\xff\xff", "no length and 4 bytes are left"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, fault: str) -> None:
    assert Framed((), fault, 0) == frame_events(data, "little")


def test_nothing_is_nothing() -> None:
    assert Framed(()) == frame_events(b"", HOST)
    assert Framed(()) == frame_events(bytes(64_000), HOST)
