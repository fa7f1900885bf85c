"""Messages about the stream itself: numbering, a change of site, the end of a refresh cycle.

What follows from them is decided in :mod:`hkex_ops.omd.line`, :mod:`hkex_ops.omd.disaster` and
:mod:`hkex_ops.omd.refresh`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "DisasterRecoverySignal",
    "RefreshComplete",
    "SequenceReset",
]


class _SequenceReset(NamedTuple):
    new_sequence: int
    tail: bytes = b""


class SequenceReset(_SequenceReset):
    """The numbers of the channel begin anew at ``new_sequence``, which is always 1 (100).

    The number of the packet that carries it means nothing, and all that was known is void.
    """

    __slots__ = ()
    TYPE = 100


class _DisasterRecoverySignal(NamedTuple):
    status: int
    tail: bytes = b""


class DisasterRecoverySignal(_DisasterRecoverySignal):
    """The exchange moves to its other site, ``status`` 1, or has moved, 2 (105).

    Sent on a multicast channel of its own and repeated until the end of the day.
    """

    __slots__ = ()
    TYPE = 105


class _RefreshComplete(NamedTuple):
    last_sequence: int
    tail: bytes = b""


class RefreshComplete(_RefreshComplete):
    """The end of a refresh cycle (203): it held good as of real-time message ``last_sequence``."""

    __slots__ = ()
    TYPE = 203
