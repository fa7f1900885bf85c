"""Index values as they are published.

A tick is one index at one moment. Its identity is (index, time): whoever computes or publishes
it, there is one true value.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from hkex_ops.model.sites import SiteRole

__all__ = ["IndexStatus", "IndexTick", "TickKind"]


class IndexStatus(StrEnum):
    """What a value is, in the letters of Index Data (OMD-C specification, section 3.13.2)."""

    CLOSING = "C"
    INDICATIVE = "I"
    OPENING = "O"
    PREVIOUS_CLOSE = "P"  # the last close of the previous session
    PRELIMINARY_CLOSE = "R"
    STOP_LOSS = "S"
    REAL_TIME = "T"
    UNSTATED = ""


class TickKind(StrEnum):
    """By which way of computing a value came to be."""

    REAL_TIME = "real-time"  # an engine, in its ordinary course
    CONTINGENCY = "contingency"  # the contingency system, while no engine publishes
    RECALCULATED = "recalculated"  # afterwards, from the journal or a capture


@frozen
class IndexTick:
    """The value of ``index`` at ``at`` (aware, the moment it stands for, not when it was sent).

    ``index`` is the code of the wire, such as 0000100. Values are in index points, exact, at the
    decimals they are published with. ``high`` and ``low`` are those of the day so far, unknown
    where nothing was computed yet. ``stale`` lists securities whose last price cannot be relied
    upon, because a record of theirs is quarantined or lost. ``engine`` says who computed it and
    ``site`` where.
    """

    index: str
    at: datetime
    value: Decimal
    high: Decimal | None = None
    low: Decimal | None = None
    status: IndexStatus = IndexStatus.REAL_TIME
    kind: TickKind = TickKind.REAL_TIME
    opening: Decimal | None = None
    closing: Decimal | None = None
    previous_close: Decimal | None = None
    stale: tuple[int, ...] = ()
    engine: str = ""
    site: SiteRole | None = None
