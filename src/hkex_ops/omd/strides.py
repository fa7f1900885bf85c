"""Packets walked in step: one message of every packet at a time, by numpy.

The last of three steps of :mod:`hkex_ops.omd.columns`, which alone calls it. Packets are sorted by
how many messages they have, so that those with messages left are always the first ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hkex_ops.omd.lanes import NotPlain
from hkex_ops.omd.layout import HEADER_BYTES
from hkex_ops.omd.slices import Ints, Octets8

__all__ = ["Walked", "walk_in_step"]


class Walked(NamedTuple):
    """Messages of heard types, in the order of delivery: of which packet, and where each lies."""

    packet: Ints
    step: Ints
    at: Ints
    size: Ints
    type: Ints


def walk_in_step(
    data: bytes, begins: Ints, ends: Ints, counts: Ints, skips: Ints, heard: Octets8
) -> Walked:
    """The messages that are heard of, behind the first ``skips`` of each packet.

    `NotPlain` when the messages of a packet do not fill it.
    """
    longest_first = np.argsort(-counts, kind="stable")
    sorted_counts = counts[longest_first]
    live = len(counts) - np.searchsorted(
        sorted_counts[::-1], np.arange(int(sorted_counts[0])), "right"
    )
    total = int(sorted_counts.sum())
    pairs = np.ndarray((len(data) - 1,), "<u2", data, strides=(1,))
    places, sizes = np.empty(total, np.int64), np.empty(total, np.int64)
    at = begins[longest_first]
    done = 0
    try:
        for many in live.tolist():
            here = at[:many]
            places[done : done + many] = here
            size = pairs[here]
            sizes[done : done + many] = size
            here += size
            done += many
        types = pairs[places + 2]
    except IndexError:
        raise NotPlain from None
    if (at != ends[longest_first]).any() or (total and sizes.min() < HEADER_BYTES):
        raise NotPlain
    hits = np.flatnonzero(heard[types])
    firsts = np.concatenate(([0], np.cumsum(live)))
    step = np.searchsorted(firsts, hits, "right") - 1
    packet = longest_first[hits - firsts[step]]
    new = step >= skips[packet]
    hits, step, packet = hits[new], step[new], packet[new]
    order = np.lexsort((step, packet))
    hits = hits[order]
    return Walked(
        packet[order],
        step[order],
        places[hits],
        sizes[hits],
        types[hits].astype(np.int64),
    )
