"""Two sessions of two steps on one afternoon, and a step that no window binds."""

from __future__ import annotations

from datetime import datetime, timedelta

from hkex_ops.model import HONG_KONG, Bound, Window
from hkex_ops.rundown import RundownStep

__all__ = [
    "CHECK",
    "FETCH",
    "FIRST_CLOSES",
    "FIRST_OPENS",
    "FREE",
    "LOG_IN",
    "LOG_OUT",
    "SECOND_CLOSES",
    "SECOND_OPENS",
    "STEPS",
    "TICK",
    "hkt",
]

TICK = timedelta(microseconds=1)


def hkt(hour: int, minute: int = 0) -> datetime:
    """An instant of Saturday 15 April 2023."""
    return datetime(2023, 4, 15, hour, minute, tzinfo=HONG_KONG)


FIRST_OPENS, FIRST_CLOSES = hkt(14, 30), hkt(15, 30)
SECOND_OPENS, SECOND_CLOSES = hkt(16, 30), hkt(17, 30)

FIRST = Window(Bound(FIRST_OPENS), Bound(FIRST_CLOSES))
SECOND = Window(Bound(SECOND_OPENS), Bound(SECOND_CLOSES))

CHECK = RundownStep("session-1", "check", "check the addresses")
LOG_IN = RundownStep("session-1", "log-in", "log in to the SFTP", FIRST)
LOG_OUT = RundownStep("session-1", "log-out", "log out", FIRST)
FETCH = RundownStep("session-2", "fetch", "download one or two files", SECOND)
FREE = RundownStep("afterwards", "fetch", "keep the primary addresses")

STEPS = (CHECK, LOG_IN, LOG_OUT, FETCH, FREE)
