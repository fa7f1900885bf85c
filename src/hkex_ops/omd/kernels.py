"""The loop of the accelerated reader: plain records, merged lines and walked packets in one pass.

Functions of arrays, made to be compiled; as they stand they are Python, and tests run them as that
too. The loop stops at whatever is not plain. Nobody calls them but
:mod:`hkex_ops.omd.accelerated`. Names and plain loops instead of objects are what a compiler of
numbers understands; every position is an index into the slice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

__all__ = [
    "AT",
    "EARLY",
    "FULL",
    "HIGH",
    "LAST",
    "LOW",
    "MARK",
    "NEWEST",
    "NOT_PLAIN",
    "ROW",
    "STATE",
    "THROUGH",
    "WAITING",
    "Early",
    "File",
    "Looks",
    "Octets",
    "Wanted",
    "channel_of",
    "deliver",
    "drain",
    "enter",
    "hold",
    "overdue",
    "scan",
    "stands",
    "step_of",
    "time_ns",
    "walk",
]

THROUGH, NOT_PLAIN, FULL = 0, 1, 2
"""Why the loop stopped: nothing is left, the next record is not plain, no room for more."""

AT, LAST, ROW, MARK, LOW, HIGH, NEWEST, WAITING = range(8)
STATE = 8
"""What is kept from call to call: where the next record begins, and the last one that may begin;
the next row and the next mark; the interval in which the last packet was sent; the highest time at
which one was sent; how many packets wait."""

EARLY = 16
"""Packets of one channel that may wait for one that they overtook."""

UNSOUND, RARE = -1, -2
"""What a walk finds instead of trades: messages that do not fill their packet, or a rare type."""

IN_CARE = -1
FRAME_BYTES, HEADER_BYTES, MOST_BYTES, MOST_MESSAGES = 42, 16, 1_472, 255
TRADE, RESET = 50, 100
ENHANCED_PACKET = 6
NS_PER_S, POLL_NS = 1_000_000_000, 100_000_000

whole: Callable[[object], int] = cast("Callable[[object], int]", np.int64)
"""A number as the signed one of 64 bits that all reckoning is done in."""


class Octets(NamedTuple):
    """A slice, as numbers of one, two, four and eight bytes that begin at every byte."""

    u8: Any
    u16: Any
    u32: Any
    u64: Any
    i16: Any
    i32: Any
    i64: Any


class File(NamedTuple):
    """How records lie: where in one its frame begins, whether they are blocks of pcapng, and the
    nanoseconds in the unit of a time. A packet may overtake ``leap`` others for ``wait_ns``."""

    frame_at: int
    blocks: bool
    unit_ns: int
    wait_ns: int
    leap: int


class Looks(NamedTuple):
    """What plain frames look like, and the channel of each addressee."""

    link: int
    hops: Any
    keys: Any
    slots: Any


class Wanted(NamedTuple):
    """What is wanted: which channels and types, and where in a trade its four numbers lie.

    ``passed`` is when the last packet of each channel was sent; none may be behind the others for
    longer than ``quiet_ns``, where that is not 0. ``perhaps_reset`` is as the merger has it.
    """

    channels: Any
    types: Any
    trade_at: Any
    trade_bytes: int
    step_ns: int
    floor_ns: int
    quiet_ns: int
    passed: Any
    perhaps_reset: Any


class Early(NamedTuple):
    """Packets that came too early, by channel: how many, the record since which one waits, and
    where their records begin, in the order in which they came."""

    many: Any
    since: Any
    at: Any


def step_of(size: int, blocks: bool) -> int:
    """How far behind the beginning of a plain record the next one begins."""
    frame = FRAME_BYTES + size
    return 32 + (frame + 3) // 4 * 4 if blocks else 16 + frame


def time_ns(octets: Octets, file: File, at: int) -> int:
    """When the packet of a record was captured; on what day does not matter here."""
    if file.blocks:
        return (whole(octets.u32[at + 12]) << 32 | whole(octets.u32[at + 16])) * file.unit_ns
    return whole(octets.u32[at]) * NS_PER_S + whole(octets.u32[at + 4]) * file.unit_ns


def channel_of(octets: Octets, file: File, looks: Looks, at: int) -> int:
    """The channel of the record at ``at``, -1 when it is not plain."""
    frame = at + file.frame_at
    size = whole(octets.u16[frame + FRAME_BYTES])
    if size > MOST_BYTES:
        return -1
    kept_at = at + 20 if file.blocks else at + 8
    length = FRAME_BYTES + size
    if whole(octets.u32[kept_at]) != length or whole(octets.u32[kept_at + 4]) != length:
        return -1
    if file.blocks:
        if whole(octets.u32[at]) != ENHANCED_PACKET:
            return -1
        if whole(octets.u32[at + 4]) != step_of(size, True):
            return -1
    if whole(octets.u32[frame + 12]) != looks.link:
        return -1
    hop = octets.u32[frame + 20]
    known = False
    for place in range(len(looks.hops)):
        known = known or looks.hops[place] == hop
    if not known:
        return -1
    key = octets.u64[frame + 30]
    for place in range(len(looks.keys)):
        if looks.keys[place] == key:
            return whole(looks.slots[place])
    return -1


def walk(
    octets: Octets,
    first: int,
    end: int,
    skip: int,
    count: int,
    slot: int,
    wanted: Wanted,
    rows: Any,
    row: int,
) -> int:
    """Put the trades behind the first ``skip`` messages into ``rows``, from ``row`` on; the next.

    The last number of a row is ``slot``. With ``row`` below 0 nothing is put anywhere. `UNSOUND` or
    `RARE` where that is so.
    """
    at = first
    places = wanted.trade_at
    for number in range(count):
        if at + 4 > end:
            return UNSOUND
        size = whole(octets.u16[at])
        kind = whole(octets.u16[at + 2])
        if size < 4 or at + size > end:
            return UNSOUND
        if wanted.types[kind]:
            if kind != TRADE:
                return RARE
            if size < wanted.trade_bytes:
                return UNSOUND
            if row >= 0 and number >= skip:
                rows[0, row] = octets.u32[at + places[0]]
                rows[1, row] = octets.u32[at + places[1]]
                rows[2, row] = octets.i32[at + places[2]]
                rows[3, row] = octets.i16[at + places[3]]
                rows[4, row] = slot
                row += 1
        at += size
    if at != end:
        return UNSOUND
    return max(row, 0)


def deliver(
    octets: Octets,
    packet: int,
    slot: int,
    skip: int,
    wanted: Wanted,
    state: Any,
    rows: Any,
    marks: Any,
) -> bool:
    """Read a packet behind its first ``skip`` messages; whether it could be."""
    size, count = whole(octets.u16[packet]), whole(octets.u8[packet + 2])
    sent = octets.i64[packet + 8]
    row = state[ROW]
    if wanted.channels[slot] and count:
        begin, end = packet + HEADER_BYTES, packet + size
        after = walk(octets, begin, end, skip, count, slot, wanted, rows, row)
        if after < 0:
            return False
        state[ROW] = after
    if sent < state[LOW] or sent >= state[HIGH]:
        state[LOW] = sent // wanted.step_ns * wanted.step_ns
        state[HIGH] = state[LOW] + wanted.step_ns
        marks[0, state[MARK]] = row
        marks[1, state[MARK]] = sent
        state[MARK] += 1
    state[NEWEST] = max(state[NEWEST], sent)
    wanted.passed[slot] = max(wanted.passed[slot], sent)
    return True


def stands(octets: Octets, packet: int, slot: int, wanted: Wanted, state: Any) -> bool:
    """Whether the channel of a packet was behind the others for too long until it came."""
    since = wanted.passed[slot]
    newest = max(state[NEWEST], octets.i64[packet + 8])
    return wanted.quiet_ns > 0 and newest - since > wanted.quiet_ns


def drain(
    octets: Octets,
    file: File,
    slot: int,
    wanted: Wanted,
    expected: Any,
    early: Early,
    state: Any,
    rows: Any,
    marks: Any,
) -> None:
    """Deliver what waits and need not any longer; it was found sound when it came."""
    while early.many[slot]:
        many, best, lowest = early.many[slot], -1, expected[slot] + 1
        for place in range(many):
            number = whole(octets.u32[early.at[slot, place] + file.frame_at + FRAME_BYTES + 4])
            if number < lowest:
                best, lowest = place, number
        if best < 0:
            return
        packet = early.at[slot, best] + file.frame_at + FRAME_BYTES
        for place in range(best, many - 1):
            early.at[slot, place] = early.at[slot, place + 1]
        early.many[slot] -= 1
        state[WAITING] -= 1
        after = lowest + whole(octets.u8[packet + 2])
        if after > expected[slot]:
            skip = expected[slot] - lowest
            deliver(octets, packet, slot, skip, wanted, state, rows, marks)
            expected[slot] = after


def hold(
    octets: Octets,
    file: File,
    at: int,
    slot: int,
    wanted: Wanted,
    early: Early,
    state: Any,
    rows: Any,
) -> bool:
    """Let a packet wait that is not the next one; whether it may."""
    packet = at + file.frame_at + FRAME_BYTES
    size, count = whole(octets.u16[packet]), whole(octets.u8[packet + 2])
    many = early.many[slot]
    if not count or octets.i64[packet + 8] < wanted.floor_ns or many == EARLY:
        return False
    if walk(octets, packet + HEADER_BYTES, packet + size, 0, count, slot, wanted, rows, -1) < 0:
        return False
    if not many:
        early.since[slot] = at
    early.at[slot, many] = at
    early.many[slot] = many + 1
    state[WAITING] += 1
    return True


def overdue(octets: Octets, file: File, at: int, early: Early) -> bool:
    """Whether packets that wait must be looked after when the record at ``at`` comes."""
    now = time_ns(octets, file, at)
    for slot in range(len(early.many)):
        if early.many[slot]:
            since = time_ns(octets, file, early.since[slot])
            if now - since >= file.wait_ns or now // POLL_NS > since // POLL_NS:
                return True
    return False


def scan(
    octets: Octets,
    file: File,
    looks: Looks,
    wanted: Wanted,
    expected: Any,
    early: Early,
    state: Any,
    rows: Any,
    marks: Any,
) -> int:
    """Read plain records from ``state[AT]`` on; why it stopped, and ``state`` says where."""
    while state[AT] <= state[LAST]:
        at = state[AT]
        if (
            state[ROW] + EARLY * MOST_MESSAGES > rows.shape[1]
            or state[MARK] + EARLY > marks.shape[1]
        ):
            return FULL
        slot = channel_of(octets, file, looks, at)
        if slot < 0 or expected[slot] == IN_CARE:
            return NOT_PLAIN
        if state[WAITING] and overdue(octets, file, at, early):
            return NOT_PLAIN
        packet = at + file.frame_at + FRAME_BYTES
        size, count = whole(octets.u16[packet]), whole(octets.u8[packet + 2])
        number, following = whole(octets.u32[packet + 4]), expected[slot]
        idle = not count and number == following == wanted.perhaps_reset[slot]
        if idle and size == HEADER_BYTES and not early.many[slot]:
            state[AT] = at + step_of(size, file.blocks)
            continue
        if number - following > file.leap or stands(octets, packet, slot, wanted, state):
            return NOT_PLAIN
        if number + count <= following:
            first = whole(octets.u16[packet + HEADER_BYTES + 2])
            if (count and first == RESET) or (not count and number == following):
                return NOT_PLAIN
            if not count:
                deliver(octets, packet, slot, 0, wanted, state, rows, marks)
        elif number == following and not early.many[slot]:
            stale = octets.i64[packet + 8] < wanted.floor_ns
            if stale or not deliver(octets, packet, slot, 0, wanted, state, rows, marks):
                return NOT_PLAIN
            expected[slot] = number + count
        elif hold(octets, file, at, slot, wanted, early, state, rows):
            drain(octets, file, slot, wanted, expected, early, state, rows, marks)
        else:
            return NOT_PLAIN
        state[AT] = at + step_of(size, file.blocks)
    return THROUGH


def enter(
    octets: Any,
    file: Any,
    looks: Any,
    wanted: Any,
    expected: Any,
    early: Any,
    state: Any,
    rows: Any,
    marks: Any,
) -> int:
    """As :func:`scan`, but of tuples without names, which a compiler's doorkeeper knows at once."""
    return scan(
        Octets(*octets),
        File(*file),
        Looks(*looks),
        Wanted(*wanted),
        expected,
        Early(*early),
        state,
        rows,
        marks,
    )
