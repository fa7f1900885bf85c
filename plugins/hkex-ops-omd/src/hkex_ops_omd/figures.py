"""Index ticks as Index Data (71) and back, exactly: what has no room is refused, never rounded.

Values have four decimals on the wire, and two at least in a tick; what is unknown is null. The
message has no place for how a value came to be; that stands in its filler, which everybody else
ignores. Pure; called by the publisher and the feed of index values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from hkex_ops.errors import Rejected, UsageError
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, TickKind
from hkex_ops.omd import IndexData
from hkex_ops.omd.accessors import NULL_INT64, scaled
from hkex_ops_omd.hearing import nanoseconds

__all__ = ["data_of", "tick_of"]

DECIMALS = 4
CODE_BYTES = 11

_MOST_INT64 = 2**63 - 1
_MOST_INT32 = 2**31 - 1
_UNITS: int = 10**DECIMALS

_MARKS: Mapping[TickKind, bytes] = MappingProxyType(
    {TickKind.REAL_TIME: b"   ", TickKind.CONTINGENCY: b"CTG", TickKind.RECALCULATED: b"RCL"}
)
_KINDS = {mark: kind for kind, mark in _MARKS.items()}
_STATUSES = {status.value: status for status in IndexStatus}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def data_of(tick: IndexTick) -> IndexData:
    """The message of a tick. The change is from the previous close, in points and per cent.

    Raises `Rejected` when the code, the moment or a value has no room in its field. Not carried
    are the securities that are stale, and who computed it.
    """
    code = tick.index
    if not code.isascii() or not code.isprintable() or not 0 < len(code) <= CODE_BYTES:
        raise Rejected(
            f"index code {code!r} has no room in Index Data: it takes 1 to {CODE_BYTES} ASCII "
            "letters"
        )
    value = _units(tick, "value", tick.value)
    previous = _units(tick, "previous_close", tick.previous_close)
    return IndexData(
        index_code_ascii=code.encode().ljust(CODE_BYTES),
        index_status_ascii=tick.status.value.encode().ljust(1),
        index_time_ns=_moment(tick),
        index_value_4dp_int64=value,
        net_change_4dp_int64=NULL_INT64 if previous == NULL_INT64 else value - previous,
        high_value_4dp_int64=_units(tick, "high", tick.high),
        low_value_4dp_int64=_units(tick, "low", tick.low),
        eas_value_2dp_int64=NULL_INT64,
        index_turnover_4dp_int64=NULL_INT64,
        opening_value_4dp_int64=_units(tick, "opening", tick.opening),
        closing_value_4dp_int64=_units(tick, "closing", tick.closing),
        previous_session_close_4dp_int64=previous,
        index_volume_int64=NULL_INT64,
        net_change_percent_4dp=_percent(tick, value, previous),
        exception_ascii=b" ",
        filler=_MARKS[tick.kind],
    )


def tick_of(data: IndexData) -> IndexTick | None:
    """The tick of a message; ``None`` where it states no value.

    A status that the specification does not name is unstated. What is behind microseconds of the
    moment is cut off; the specification has whole seconds.
    """
    value = _points(data.index_value_4dp)
    if value is None:
        return None
    at = _EPOCH + timedelta(microseconds=data.index_time_ns // 1000)
    return IndexTick(
        index=data.index_code,
        at=at.astimezone(HONG_KONG),
        value=value,
        high=_points(data.high_value_4dp),
        low=_points(data.low_value_4dp),
        status=_STATUSES.get(data.index_status, IndexStatus.UNSTATED),
        kind=_KINDS.get(data.filler, TickKind.REAL_TIME),
        opening=_points(data.opening_value_4dp),
        closing=_points(data.closing_value_4dp),
        previous_close=_points(data.previous_session_close_4dp),
    )


def _moment(tick: IndexTick) -> int:
    if tick.at.tzinfo is None:
        raise UsageError(f"{_named(tick)}: its moment has no zone: give an aware datetime")
    at_ns = nanoseconds(tick.at)
    if not NULL_INT64 < at_ns <= _MOST_INT64:
        raise Rejected(f"{_named(tick)}: its moment has no room in Index Data")
    return at_ns


def _units(tick: IndexTick, name: str, value: Decimal | None) -> int:
    """A value in units of the last decimal on the wire; null for none."""
    if value is None:
        return NULL_INT64
    units = _exact_units(value)
    if units is None:
        raise Rejected(
            f"{_named(tick)}: {name} {value:.30} has no room in Index Data, which takes "
            f"{DECIMALS} decimals and 64 bits: round it, or publish it elsewhere"
        )
    return units


def _exact_units(value: Decimal) -> int | None:
    """By whole numbers: the context of decimals would round what has more than its digits."""
    if not value:
        return 0
    # Bounds first: a power of ten that fits no field may fill the memory.
    if not value.is_finite() or not -DECIMALS <= value.adjusted() <= len(str(_MOST_INT64)):
        return None
    numerator, denominator = value.as_integer_ratio()
    units, rest = divmod(numerator * _UNITS, denominator)
    return units if not rest and NULL_INT64 < units <= _MOST_INT64 else None


def _percent(tick: IndexTick, value: int, previous: int) -> int:
    """The change in per cent, four decimals, half up; 0 where it cannot be told: it has no null."""
    if previous in (NULL_INT64, 0):
        return 0
    change, base = abs(value - previous) * 100 * _UNITS, abs(previous)
    percent = (2 * change + base) // (2 * base)
    if percent > _MOST_INT32:
        raise Rejected(
            f"{_named(tick)}: its change from {tick.previous_close} in per cent has no room in "
            "Index Data: check previous_close"
        )
    return percent if (value >= previous) == (previous > 0) else -percent


def _points(units: int | None) -> Decimal | None:
    """Units as index points, with two decimals, or more where they say something."""
    if units is None:
        return None
    for decimals in (2, 3):
        step = 10 ** (DECIMALS - decimals)
        if units % step == 0:
            return scaled(units // step, decimals)
    return scaled(units, DECIMALS)


def _named(tick: IndexTick) -> str:
    return f"index {tick.index} at {tick.at.isoformat()}"
