"""Which value a moment of the day calls for: opening, real-time, preliminary close, closing, none.

Hears the trading session of one market as one more record of the single order, and is asked at each
moment. Knows no price. The engine calls it.
"""

from __future__ import annotations

from typing import cast

from hkex_ops.index.records import SessionRecord
from hkex_ops.index.rules import NS_PER_S, IndexRules
from hkex_ops.model import IndexStatus, JsonObject

__all__ = ["DAY_CLOSE", "TradingDay"]

DAY_CLOSE = 0
"""TradingSessionSubID of the day close: whatever was missing, the closing index is due."""

_ONCE = (IndexStatus.CLOSING, IndexStatus.PRELIMINARY_CLOSE, IndexStatus.OPENING)


class TradingDay:
    """The sessions of one day as far as they have come."""

    def __init__(self, rules: IndexRules, first_ns: int | None = None) -> None:
        """With ``first_ns`` sessions are not followed: real-time from then on, and nothing else."""
        self._rules = rules
        self._first_ns = first_ns
        self._session = -1
        self._due: dict[str, int] = {}
        self._done: set[str] = set()

    @property
    def done(self) -> frozenset[str]:
        """The letters of the opening and closing values that have been computed."""
        return frozenset(self._done)

    @property
    def trading(self) -> bool:
        """Whether the session is one of those during which ticks are computed."""
        return self._session in self._rules.realtime_sessions

    def handle(self, record: SessionRecord, sent_ns: int) -> None:
        """The market is in another session, since event time ``sent_ns``."""
        rules = self._rules
        if record.market.strip() != rules.session_market or self._first_ns is not None:
            return
        session = self._session = record.session
        if session == rules.opening_session:
            self._owe(IndexStatus.OPENING, sent_ns + rules.opening_delay_s * NS_PER_S)
        elif session in rules.preliminary_sessions:
            self._owe(IndexStatus.PRELIMINARY_CLOSE, sent_ns)
        elif session in rules.closing_sessions and (
            session == DAY_CLOSE or IndexStatus.PRELIMINARY_CLOSE in self._due
        ):
            self._owe(IndexStatus.CLOSING, sent_ns + rules.closing_delay_s * NS_PER_S)

    def status_at(self, time_ns: int) -> IndexStatus | None:
        """What the moment's value is; `None` when none is computed. Moments come in order.

        One value for one moment: what is due once goes before what comes every time.
        """
        if len(self._done) < len(self._due):
            for status in _ONCE:
                due = self._due.get(status)
                if due is not None and status not in self._done and due < time_ns:
                    self._done.add(status)
                    return status
        if self._first_ns is not None:
            return IndexStatus.REAL_TIME if time_ns >= self._first_ns else None
        return IndexStatus.REAL_TIME if self.trading else None

    def snapshot(self) -> JsonObject:
        """What has come, as plain data."""
        return {"session": self._session, "due": dict(self._due), "done": sorted(self._done)}

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        self._session = cast("int", snapshot["session"])
        self._due = dict(cast("dict[str, int]", snapshot["due"]))
        self._done = set(cast("list[str]", snapshot["done"]))

    def _owe(self, status: IndexStatus, due_ns: int) -> None:
        """The first one counts: the indicator of another day or a repetition changes nothing."""
        self._due.setdefault(status.value, due_ns)
