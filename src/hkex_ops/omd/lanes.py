"""Lines of many channels merged over a slice of plain records, by running maxima.

The second of three steps of :mod:`hkex_ops.omd.columns`, which alone calls it. Packets of a channel
that begin no higher than everything before them ended are in order; so a whole stretch is judged at
once, and only where a packet overtook another are some looked at one by one. It follows the rules
of :class:`~hkex_ops.omd.merging.Merger`, and declines where those need more than numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hkex_ops.omd.slices import Ints, PlainRecords

__all__ = ["Deliveries", "NotPlain", "deliver"]

OVERTAKEN = 64
"""How many packets of a channel are looked at one by one until it is in order again."""


class NotPlain(Exception):
    """The slice needs more than this module knows; it is to be read the plain way."""


class Deliveries(NamedTuple):
    """Records whose packets bring something new, in the order of delivery.

    ``record`` is the place of each among the records, ``skip`` how many of its messages are known.
    """

    record: Ints
    skip: Ints


class _Found(NamedTuple):
    """What is delivered of one channel: records, what is known of each, and when each goes out.

    ``turn`` is the record by which it is delivered, which is its own unless it had to wait, and
    ``place`` its place among those that one record delivers.
    """

    record: list[Ints]
    skip: list[Ints]
    turn: list[Ints]
    place: list[Ints]


def deliver(
    records: PlainRecords, expected: list[int], waits: Callable[[int, int], bool]
) -> Deliveries:
    """What the records deliver. ``expected`` is brought up to date.

    ``waits`` says of two records whether the later one came so long after the earlier that a gap
    open since then would be told of. `NotPlain` when that happens, or a gap stays open.
    """
    found = _Found([], [], [], [])
    order = np.argsort(records.slot, kind="stable")
    slots = records.slot[order]
    bounds = np.searchsorted(slots, np.arange(len(expected) + 1))
    after = list(expected)
    for slot, (begin, end) in enumerate(pairwise(bounds.tolist())):
        if begin < end:
            after[slot] = _channel(records, order[begin:end], expected[slot], found, waits)
    expected[:] = after
    record = np.concatenate(found.record) if found.record else np.empty(0, np.int64)
    if not len(record):
        return Deliveries(record, record)
    turn = np.concatenate(found.turn) * (OVERTAKEN + 1) + np.concatenate(found.place)
    by_turn = np.argsort(turn, kind="stable")
    return Deliveries(record[by_turn], np.concatenate(found.skip)[by_turn])


def _channel(
    records: PlainRecords,
    own: Ints,
    following: int,
    found: _Found,
    waits: Callable[[int, int], bool],
) -> int:
    """One channel; ``own`` are its records. The number that follows at the end."""
    counts, begins = records.messages[own], records.number[own]
    ends = begins + counts
    # A heartbeat bears the number of the last message: one that is not known yet is a gap.
    begins = begins + (counts == 0)
    at = 0
    while at < len(own):
        before = np.empty(len(own) - at, np.int64)
        before[0] = following
        before[1:] = np.maximum(np.maximum.accumulate(ends[at:-1]), following)
        gaps = begins[at:] > before
        plain = int(gaps.argmax()) if gaps.any() else len(before)
        new = np.flatnonzero(ends[at : at + plain] > before[:plain])
        record = own[at:][new]
        found.record.append(record)
        found.skip.append(before[new] - begins[at:][new])
        found.turn.append(record)
        found.place.append(np.zeros(len(record), np.int64))
        if plain == len(before):
            return max(int(before[-1]), int(ends[-1]))
        at, following = _overtaken(
            own, at + plain, (begins, ends, counts), int(before[plain]), found, waits
        )
    return following


def _overtaken(
    own: Ints,
    at: int,
    numbers: tuple[Ints, Ints, Ints],
    following: int,
    found: _Found,
    waits: Callable[[int, int], bool],
) -> tuple[int, int]:
    """Packets one by one, from the first that came too early until none waits any more."""
    early: list[tuple[int, int, int]] = []
    opened = int(own[at])
    out: list[tuple[int, int, int, int]] = []
    last = min(at + OVERTAKEN, len(own))
    while at < last:
        record = int(own[at])
        begin, end, count = (int(column[at]) for column in numbers)
        ahead = not count and begin > following
        if ahead or (record != opened and waits(opened, record)):
            raise NotPlain
        if count and end > following:
            heappush(early, (begin, record, end))
        place = 0
        while early and early[0][0] <= following:
            begin, one, end = heappop(early)
            if end > following:
                out.append((one, following - begin, record, place))
                following, place = end, place + 1
        at += 1
        if not early:
            columns = np.array(out, np.int64).reshape(-1, 4)
            for column, values in zip(found, columns.T, strict=True):
                column.append(values)
            return at, following
    raise NotPlain
