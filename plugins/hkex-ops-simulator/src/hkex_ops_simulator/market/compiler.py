"""The index compiler of a simulated market: exact values of its indexes, told as Index Data (71).

Written for itself, with nothing of the engine's, so that a test can hold the two against each
other. It counts as the engine is meant to: the trade with the highest number of a stock is its
last price, whenever its record comes, and a value at a moment knows what was sent before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from attrs import define, field

from hkex_ops.omd.accessors import NULL_INT64
from hkex_ops.omd.messages import IndexData
from hkex_ops_simulator.market.dealing import Dealt
from hkex_ops_simulator.market.stocks import SyntheticIndex, Universe

__all__ = ["IndexCompiler", "Published"]

_CENT_4DP = 100
_PER_CENT_4DP = 1_000_000


class Published(NamedTuple):
    """A value as the compiler published it, in hundredths of a point."""

    code: str
    time_ns: int
    value_cents: int
    high_cents: int
    low_cents: int
    status: str


@define
class _Running:
    """One index on its way: ``total`` is the exact sum of price and weight."""

    index: SyntheticIndex
    before: int
    total: int
    session_close_cents: int
    opening_cents: int | None = None
    closing_cents: int | None = None
    value_cents: int = 0
    high_cents: int = 0
    low_cents: int = 0


@define
class IndexCompiler:
    """Takes trades, gives values; one for a day of ``universe``."""

    universe: Universe
    _running: list[_Running] = field(init=False)
    _moves: dict[int, list[tuple[_Running, int]]] = field(init=False)
    _last: dict[int, tuple[int, int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        closes = self.universe.closes_3dp
        self._last = {code: (0, price) for code, price in closes.items()}
        self._running, self._moves = [], {}
        for index in self.universe.indexes:
            total = sum(closes[one.code] * one.weight for one in index.members)
            running = _Running(index, total, total, index.previous_close_cents)
            self._running.append(running)
            for one in index.members:
                self._moves.setdefault(one.code, []).append((running, one.weight))

    def take(self, code: int, dealt: Dealt) -> None:
        """A trade's record was sent."""
        if dealt.counts and dealt.trade_id > self._last[code][0]:
            self._reprice(code, dealt.trade_id, dealt.price_3dp)

    def close(self, closes_3dp: Mapping[int, int]) -> None:
        """The closing price of every stock is known."""
        for code, price in closes_3dp.items():
            self._reprice(code, self._last[code][0], price)

    def end_session(self) -> None:
        """Morning or afternoon is over: what follows is compared with its last value."""
        for one in self._running:
            one.session_close_cents = one.value_cents

    def publish(self, time_ns: int, status: str) -> Iterator[tuple[Published, IndexData]]:
        """The value of every index at ``time_ns``, and the message that tells it."""
        for one in self._running:
            value = (2 * one.total * one.index.previous_close_cents + one.before) // (
                2 * one.before
            )
            one.value_cents = value
            one.high_cents = max(one.high_cents, value)
            one.low_cents = min(one.low_cents or value, value)
            if status == "O" or one.opening_cents is None:
                one.opening_cents = value
            if status == "C":
                one.closing_cents = value
            told = Published(one.index.code, time_ns, value, one.high_cents, one.low_cents, status)
            yield told, _message(one, told)

    def _reprice(self, code: int, trade_id: int, price_3dp: int) -> None:
        _, before = self._last[code]
        self._last[code] = trade_id, price_3dp
        if price_3dp != before:
            for running, weight in self._moves.get(code, ()):
                running.total += (price_3dp - before) * weight


def _message(one: _Running, told: Published) -> IndexData:
    change = told.value_cents - one.index.previous_close_cents
    return IndexData(
        index_code_ascii=told.code.encode("ascii").ljust(11),
        index_status_ascii=told.status.encode("ascii"),
        index_time_ns=told.time_ns,
        index_value_4dp_int64=told.value_cents * _CENT_4DP,
        net_change_4dp_int64=change * _CENT_4DP,
        high_value_4dp_int64=told.high_cents * _CENT_4DP,
        low_value_4dp_int64=told.low_cents * _CENT_4DP,
        eas_value_2dp_int64=NULL_INT64,
        index_turnover_4dp_int64=NULL_INT64,
        opening_value_4dp_int64=_known(one.opening_cents),
        closing_value_4dp_int64=_known(one.closing_cents),
        previous_session_close_4dp_int64=one.session_close_cents * _CENT_4DP,
        index_volume_int64=NULL_INT64,
        net_change_percent_4dp=change * _PER_CENT_4DP // one.index.previous_close_cents,
        exception_ascii=b" ",
        filler=b"   ",
    )


def _known(value_cents: int | None) -> int:
    return NULL_INT64 if value_cents is None else value_cents * _CENT_4DP
