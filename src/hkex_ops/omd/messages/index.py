"""Indexes: what they are called, and their values."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Nullable, Text

__all__ = [
    "IndexData",
    "IndexDefinition",
]


class _IndexDefinition(NamedTuple):
    index_code_ascii: bytes
    index_source_ascii: bytes
    currency_code_ascii: bytes
    filler: bytes
    tail: bytes = b""


class IndexDefinition(_IndexDefinition):
    """An index and its currency, which may be blank (70)."""

    __slots__ = ()
    TYPE = 70

    index_code: Text = Text()
    index_source: Text = Text()
    currency_code: Text = Text()


class _IndexData(NamedTuple):
    index_code_ascii: bytes
    index_status_ascii: bytes
    index_time_ns: int
    index_value_4dp_int64: int
    net_change_4dp_int64: int
    high_value_4dp_int64: int
    low_value_4dp_int64: int
    eas_value_2dp_int64: int
    index_turnover_4dp_int64: int
    opening_value_4dp_int64: int
    closing_value_4dp_int64: int
    previous_session_close_4dp_int64: int
    index_volume_int64: int
    net_change_percent_4dp: int
    exception_ascii: bytes
    filler: bytes
    tail: bytes = b""


class IndexData(_IndexData):
    """The value of an index (71); what is not known is ``None``, and null in ``..._int64``.

    The change in percent has no null. ``index_time_ns`` is the compiler's, in whole seconds.
    """

    __slots__ = ()
    TYPE = 71

    index_code: Text = Text()
    index_status: Text = Text()
    index_value_4dp: Nullable = Nullable()
    net_change_4dp: Nullable = Nullable()
    high_value_4dp: Nullable = Nullable()
    low_value_4dp: Nullable = Nullable()
    eas_value_2dp: Nullable = Nullable()
    index_turnover_4dp: Nullable = Nullable()
    opening_value_4dp: Nullable = Nullable()
    closing_value_4dp: Nullable = Nullable()
    previous_session_close_4dp: Nullable = Nullable()
    index_volume: Nullable = Nullable()
    exception: Text = Text()
