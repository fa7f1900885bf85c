"""The two ways of computing a capture again, behind one face: in plain Python, or by numpy.

Both give the same answers; numpy (extra ``data``) does so several times faster once there is enough
to do. Called by :mod:`hkex_ops.flows.index.recomputing` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Protocol, TypeAlias

from hkex_ops.errors import WireError
from hkex_ops.index.basket import Basket
from hkex_ops.index.recalculation import Recalculation
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns
from hkex_ops.index.timeline import Between
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import Mark, Subscription

__all__ = ["WORTHWHILE_BYTES", "PlainWay", "Translate", "Way", "way_for"]

WORTHWHILE_BYTES = 8 << 20
"""With less than that to read, numpy is not even imported."""

Translate: TypeAlias = Callable[[Sequence[Mark]], Iterable[Between]]
"""What makes of marks in a capture the records between its trades."""


class Way(Protocol):
    """One day, capture after capture."""

    @property
    def capture(self) -> CaptureSubscription:
        """The capture that is being read."""
        ...

    def begin(self, subscription: Subscription, streams: CaptureStreams) -> None:
        """Another capture begins."""
        ...

    def feed(self, data: bytes, translate: Translate) -> TickColumns:
        """The next piece of the capture. Raises `WireError` where it is damaged."""
        ...

    def end(self, translate: Translate) -> tuple[TickColumns, WireError | None]:
        """The capture has ended; what is wrong with its end."""
        ...

    def close(self) -> TickColumns:
        """The last capture has ended."""
        ...


class PlainWay:
    """In plain Python."""

    capture: CaptureSubscription

    def __init__(self, baskets: Sequence[Basket], rules: IndexRules, first_ns: int | None) -> None:
        self._machine = Recalculation(baskets, rules, first_ns=first_ns)

    def begin(self, subscription: Subscription, streams: CaptureStreams) -> None:
        """See :meth:`Way.begin`."""
        self.capture = CaptureSubscription(subscription, streams=streams)

    def feed(self, data: bytes, translate: Translate) -> TickColumns:
        """See :meth:`Way.feed`."""
        piece = self.capture.feed(data)
        return self._machine.feed(piece.rows, translate(piece.marks))

    def end(self, translate: Translate) -> tuple[TickColumns, WireError | None]:
        """See :meth:`Way.end`."""
        piece, error = self.capture.close()
        return self._machine.feed(piece.rows, translate(piece.marks)), error

    def close(self) -> TickColumns:
        """See :meth:`Way.close`."""
        return self._machine.close()


def way_for(
    size_bytes: int, baskets: Sequence[Basket], rules: IndexRules, first_ns: int | None
) -> Way:
    """The faster way for so much to read, of those that are installed."""
    if size_bytes < WORTHWHILE_BYTES or find_spec("numpy") is None:
        return PlainWay(baskets, rules, first_ns)
    from hkex_ops.flows.index.recomputing_columns import ColumnWay

    return ColumnWay(baskets, rules, first_ns)
