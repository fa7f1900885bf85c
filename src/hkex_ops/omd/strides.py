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

_MOST_MESSAGES = 256  # in a packet


class Walked(NamedTuple):
    """Messages of heard types, in the order of delivery: of which packet, and where each lies."""

    packet: Ints
    step: Ints
    at: Ints
    size: Ints
    type: Ints


def walk_in_step(
    octets: Octets8, begins: Ints, ends: Ints, counts: Ints, skips: Ints, heard: Octets8
) -> Walked:
    """The messages that are heard of, behind the first ``skips`` of each packet.

    `NotPlain` when the messages of a packet do not fill it.
    """
    longest_first = np.argsort(-counts, kind="stable")
    sorted_counts = counts[longest_first]
    live = len(counts) - np.searchsorted(
        sorted_counts[::-1], np.arange(int(sorted_counts[0])), "right"
    )
    begins, ends = begins[longest_first], ends[longest_first]
    walked = _narrow(octets, begins, ends, live) or _wide(octets, begins, ends, live)
    if walked is None:
        raise NotPlain
    places, sizes = walked
    hits = np.flatnonzero(heard[octets[places + 2]])
    hits = hits[octets[places[hits] + 3] == 0]
    firsts = np.concatenate(([0], np.cumsum(live)))
    step = np.searchsorted(firsts, hits, "right") - 1
    packet = longest_first[hits - firsts[step]]
    new = step >= skips[packet]
    hits, step, packet = hits[new], step[new], packet[new]
    order = np.argsort(packet * _MOST_MESSAGES + step)
    places = places[hits[order]]
    return Walked(
        packet[order],
        step[order],
        places,
        sizes[hits[order]].astype(np.int64),
        octets[places + 2].astype(np.int64),
    )


def _narrow(octets: Octets8, begins: Ints, ends: Ints, live: Ints) -> tuple[Ints, Octets8] | None:
    """Places and sizes of all messages, if all are below 256 bytes, as nearly all are."""
    total = int(live.sum())
    places, sizes = np.empty(total, np.int64), np.empty(total, np.uint8)
    at, done = begins.copy(), 0
    for many in live.tolist():
        here, upto = at[:many], done + many
        places[done:upto] = here
        here += octets.take(here, out=sizes[done:upto], mode="clip")
        done = upto
    if (at != ends).any() or octets.take(places + 1, mode="clip").any():
        return None
    return (places, sizes) if not total or sizes.min() >= HEADER_BYTES else None


def _wide(octets: Octets8, begins: Ints, ends: Ints, live: Ints) -> tuple[Ints, Ints] | None:
    """Places and sizes of all messages, whatever the sizes; none where they do not add up."""
    total = int(live.sum())
    places, sizes = np.empty(total, np.int64), np.empty(total, np.int64)
    at, done = begins.copy(), 0
    for many in live.tolist():
        here, upto = at[:many], done + many
        places[done:upto] = here
        low, high = (octets.take(here + byte, mode="clip") for byte in (0, 1))
        sizes[done:upto] = low + high.astype(np.int64) * 256
        here += sizes[done:upto]
        done = upto
    sound = (at == ends).all() and (not total or sizes.min() >= HEADER_BYTES)
    return (places, sizes) if sound else None
