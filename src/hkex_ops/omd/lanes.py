"""Lines of many channels merged over a slice of plain records, by running maxima.

The second of three steps of :mod:`hkex_ops.omd.columns`, which alone calls it. Packets of a channel
that begin no higher than everything before them ended are in order; so a whole stretch is judged at
once, and only where a packet overtook another are some looked at one by one. It follows the rules
of :class:`~hkex_ops.omd.merging.Merger`, and declines where those need more than numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

import numpy as np

from hkex_ops.omd.slices import Ints, PlainRecords

__all__ = ["Deliveries", "NotPlain", "deliver"]

OVERTAKEN = 64
"""How many packets of a channel are looked at one by one until it is in order again."""

_NUMBERS = 1 << 34  # any number of a message is below


class NotPlain(Exception):
    """The slice needs more than this module knows; it is to be read the plain way."""


class Deliveries(NamedTuple):
    """Records whose packets bring something new, be it only time, in the order of delivery.

    ``record`` is the place of each among the records, ``skip`` how many of its messages are known.
    ``passed_over`` came early, with messages that were new then, and were overtaken by others with
    the same: nobody reads them, but if one is unsound that is to be told.
    """

    record: Ints
    skip: Ints
    passed_over: Sequence[int] = ()


class _Sorted(NamedTuple):
    """Records by channel, and in each channel as they came.

    ``begin`` and ``end`` are the first number of each and the one after its last; of a heartbeat,
    which bears the number of the last message, both are the one after that. ``before`` is the
    number that followed all before it, if none had to wait.
    """

    record: Ints
    slot: Ints
    begin: Ints
    end: Ints
    messages: Ints
    before: Ints


_Turn: TypeAlias = tuple[int, int, int, int]
"""A packet that had to wait: its record, how much of it is known, the record by which it is
delivered, and its place among those."""


def deliver(
    records: PlainRecords, expected: list[int], waits: Callable[[int, int], bool]
) -> Deliveries:
    """What the records deliver. ``expected`` is brought up to date.

    ``waits`` says of two records whether the later one came so long after the earlier that a gap
    open since then would be told of. `NotPlain` when that happens, or a gap stays open.
    """
    ordered = _sorted(records, np.array(expected, np.int64))
    heartbeat = ordered.messages == 0
    new = (ordered.end > ordered.before) | heartbeat
    turns: list[_Turn] = []
    passed_over: list[int] = []
    upto = 0
    for at in np.flatnonzero(ordered.begin > ordered.before).tolist():
        if at >= upto:
            upto = _overtaken(ordered, at, turns, passed_over, waits)
            new[at:upto] = heartbeat[at:upto]
    chosen = np.zeros(len(new), bool)
    chosen[ordered.record[new]] = True
    known = np.empty(len(new), np.int64)
    known[ordered.record] = ordered.before - ordered.begin
    record = np.flatnonzero(chosen)
    skip = known[record]
    last = np.flatnonzero(np.append(ordered.slot[1:] != ordered.slot[:-1], True))
    after = np.maximum(ordered.before[last], ordered.end[last])
    for slot, following in zip(ordered.slot[last].tolist(), after.tolist(), strict=True):
        expected[slot] = following
    if turns:
        record, skip = _in_turn(record, skip, turns)
    return Deliveries(record, skip, passed_over)


def _sorted(records: PlainRecords, expected: Ints) -> _Sorted:
    order = np.argsort(records.slot.astype(np.int16), kind="stable")
    slot = records.slot[order]
    messages = records.messages[order]
    begin = records.number[order] + (messages == 0)
    end = begin + messages
    # Numbers of a channel are put above all of the channels before it, so that one running
    # maximum serves them all.
    above = slot * _NUMBERS
    before = expected[slot] + above
    highest = np.maximum.accumulate(np.maximum(end + above, before))
    before[1:] = np.maximum(before[1:], highest[:-1])
    return _Sorted(order, slot, begin, end, messages, before - above)


def _overtaken(
    ordered: _Sorted,
    at: int,
    turns: list[_Turn],
    passed_over: list[int],
    waits: Callable[[int, int], bool],
) -> int:
    """Packets one by one, from the first that came too early until none waits any more.

    Those after that need not be looked at: whatever is highest has been delivered by then.
    """
    following = int(ordered.before[at])
    early: list[tuple[int, int, int]] = []
    came: dict[tuple[int, int], int] = {}  # the first packet of what was not all known
    opened = int(ordered.record[at])
    window = slice(at, at + OVERTAKEN)
    own = ordered.slot[window] == ordered.slot[at]
    columns = (ordered.record, ordered.begin, ordered.end, ordered.messages)
    rows = zip(*(column[window][own].tolist() for column in columns), strict=True)
    for looked_at, (record, begin, end, messages) in enumerate(rows, start=1):
        if (not messages and begin > following) or (record != opened and waits(opened, record)):
            break
        if messages and end > following:
            heappush(early, (begin, record, end))
            if not any(first <= begin and end <= after for first, after in came):
                came[begin, end] = record
        place = 0
        while early and early[0][0] <= following:
            first, one, after = heappop(early)
            if after > following:
                turns.append((one, following - first, record, place))
                following, place = after, place + 1
            elif came.get((first, after)) == one:
                passed_over.append(one)
        if not early:
            return at + looked_at
    raise NotPlain


def _in_turn(record: Ints, skip: Ints, turns: list[_Turn]) -> tuple[Ints, Ints]:
    """Those that had to wait among those that had not, by whose turn it was."""
    waited = np.array(turns, np.int64)
    turn = np.concatenate((record * (OVERTAKEN + 1), waited[:, 2] * (OVERTAKEN + 1) + waited[:, 3]))
    order = np.argsort(turn, kind="stable")
    return (
        np.concatenate((record, waited[:, 0]))[order],
        np.concatenate((skip, waited[:, 1]))[order],
    )
