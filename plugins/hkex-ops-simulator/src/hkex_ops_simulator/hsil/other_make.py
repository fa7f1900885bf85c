"""The contingency system on a clock turned by hand: own capture, own prices, own sum.

The same code as a run's contingency process, without the process. Fed with what arrives; gives the
values of every moment of the grid once every channel has passed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from attrs import define, field

from hkex_ops.config.layouts import load_codec
from hkex_ops.flows.index.own_capture import OwnChannel
from hkex_ops.index.records import IndexRecord, SessionRecord
from hkex_ops.index.snapshot import SnapshotComputation, SnapshotValue
from hkex_ops.index.ticks import time_ns_of
from hkex_ops_simulator.hsil.replayed import RULES_OF_2010, Replayed
from hkex_ops_simulator.market.lines import Delivery

__all__ = ["OtherMake"]


@define
class OtherMake:
    """The system for one day; ``values`` has what it computed, by index and moment."""

    day: Replayed
    values: dict[tuple[str, int], Decimal | None] = field(
        factory=dict[tuple[str, int], Decimal | None], init=False
    )
    _own: dict[int, OwnChannel] = field(init=False)
    _table: SnapshotComputation = field(init=False)
    _moment_ns: int = field(default=0, init=False)
    _closing: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        codec = load_codec()
        self._own = {channel: OwnChannel(channel, codec) for channel in self.day.channels}
        self._table = SnapshotComputation(
            self.day.baskets, RULES_OF_2010, channels=self.day.channels
        )

    def take(self, one: Delivery, now: datetime) -> Sequence[IndexRecord]:
        """A packet arrived; the records that it, and whatever waited for it, brought."""
        return self._heard(self._own[one.channel].take(one.packet, one.time_ns), now)

    def look(self, now: datetime) -> None:
        """Give up what was waited for long enough."""
        now_ns = time_ns_of(now)
        for channel in self._own.values():
            if channel.has_waited(now_ns):
                self._heard(channel.give_up(now_ns), now)

    def changes_of(self, code: str) -> int:
        """How often prices of an index's stocks have changed so far."""
        return self._table.changes_of(code)

    def due(self) -> Iterator[tuple[SnapshotValue, ...]]:
        """The values of every moment that all channels have passed since the last time."""
        while self._moment_ns and not self._table.missing_at(self._moment_ns):
            values = self._table.values_at(self._moment_ns, closing=self._closing)
            self.values |= {(one.code, one.time_ns): one.value for one in values}
            self._moment_ns += RULES_OF_2010.interval_ns
            yield values

    def _heard(self, records: Sequence[IndexRecord], now: datetime) -> Sequence[IndexRecord]:
        for record in records:
            if isinstance(record, SessionRecord):
                self._closing = record.session in RULES_OF_2010.closing_sessions
            if not self._moment_ns and record.send_time_ns:
                step_ns = RULES_OF_2010.interval_ns
                self._moment_ns = (record.send_time_ns // step_ns + 1) * step_ns
            self._table.handle(record, now)
        return records
