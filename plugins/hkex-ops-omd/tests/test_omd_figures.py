"""Ticks as Index Data: exact both ways, and what has no room is refused in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st
from omd_index import index_data

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import Rejected, UsageError
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, SiteRole, TickKind
from hkex_ops.omd import IndexData
from hkex_ops.omd.accessors import NULL_INT64
from hkex_ops_omd.figures import data_of, tick_of

AT = datetime(2010, 1, 22, 10, 0, 15, tzinfo=HONG_KONG)
TICK = IndexTick("0000100", AT, Decimal("20726.10"))
CODEC = load_codec()

MOST = 2**63 - 1


def wire_decimals(least: int = 2) -> st.SearchStrategy[Decimal]:
    """Every value that a field can hold, with as few decimals as it needs but two at least."""

    def spelt(units: int) -> Decimal:
        value = Decimal(units).scaleb(-4)
        decimals = next(n for n in (least, 3, 4) if units % 10 ** (4 - n) == 0)
        return value.quantize(Decimal(1).scaleb(-decimals))

    return st.integers(-MOST, MOST).map(spelt)


moments = st.integers(0, 9_200_000_000).map(lambda s: datetime.fromtimestamp(s, tz=HONG_KONG))

ticks = st.builds(
    IndexTick,
    index=st.text("0123456789ABCXYZ", min_size=1, max_size=11),
    at=moments,
    value=wire_decimals(),
    high=st.none() | wire_decimals(),
    low=st.none() | wire_decimals(),
    status=st.sampled_from(IndexStatus),
    kind=st.sampled_from(TickKind),
    opening=st.none() | wire_decimals(),
    closing=st.none() | wire_decimals(),
)


@given(ticks)
def test_a_tick_comes_back_to_the_last_zero(tick: IndexTick) -> None:
    """Through the bytes of the message."""
    data = CODEC.decode_message(CODEC.encode_message(data_of(tick)))
    assert isinstance(data, IndexData)
    back = tick_of(data)
    assert tick == back
    assert str(tick.value) == str(back and back.value)


def test_the_bytes_are_those_of_the_specification() -> None:
    """Every field that a tick has, packed by hand."""
    full = evolve(
        TICK,
        high=Decimal("20800.00"),
        low=Decimal("20700.0001"),
        opening=Decimal(20750),
        previous_close=Decimal("20726.10"),
        status=IndexStatus.OPENING,
        kind=TickKind.CONTINGENCY,
    )
    assert index_data(full) == CODEC.encode_message(data_of(full))


def test_what_is_not_known_is_null() -> None:
    data = data_of(TICK)
    unknown = (
        data.net_change_4dp_int64,
        data.high_value_4dp_int64,
        data.low_value_4dp_int64,
        data.eas_value_2dp_int64,
        data.index_turnover_4dp_int64,
        data.opening_value_4dp_int64,
        data.closing_value_4dp_int64,
        data.previous_session_close_4dp_int64,
        data.index_volume_int64,
    )
    assert {NULL_INT64} == set(unknown)
    assert 0 == data.net_change_percent_4dp


@pytest.mark.parametrize(
    ("value", "previous", "change", "percent"),
    [
        ("1809.7277", "1785.9294", 237_983, 13_325),
        ("90", "100", -100_000, -100_000),
        ("100.0005", "100", 5, 5),
        ("100.00005", "100", None, None),  # has no room
        ("20000.01", "20000", 100, 1),  # 0.00005 per cent is rounded away from 0
        ("19999.99", "20000", -100, -1),
        ("20000.0099", "20000", 99, 0),
        ("5", "0", 50_000, 0),  # of nothing no change can be told
    ],
)
def test_the_change_is_from_the_previous_close(
    value: str, previous: str, change: int | None, percent: int | None
) -> None:
    tick = evolve(TICK, value=Decimal(value), previous_close=Decimal(previous))
    if change is None:
        with pytest.raises(Rejected, match=r"value 100\.00005 has no room"):
            data_of(tick)
        return
    data = data_of(tick)
    assert (change, percent) == (data.net_change_4dp_int64, data.net_change_percent_4dp)


@given(st.integers(1, MOST // 10**7), st.integers(1, MOST // 10**7))
def test_the_change_in_per_cent_is_the_nearest(value: int, previous: int) -> None:
    """Half a unit off at the most, and away from 0 where it is just that."""
    tick = evolve(
        TICK, value=Decimal(value).scaleb(-4), previous_close=Decimal(previous).scaleb(-4)
    )
    if abs(value - previous) * 10**6 >= (2**31 - 1) * previous:
        with pytest.raises(Rejected, match="its change from"):
            data_of(tick)
        return
    percent = data_of(tick).net_change_percent_4dp
    doubled = 2 * (percent * previous - (value - previous) * 10**6)
    assert -previous <= doubled <= previous
    if abs(doubled) == previous:
        assert (doubled > 0) == (percent > 0)


@pytest.mark.parametrize("name", ["value", "high", "low", "opening", "closing", "previous_close"])
@pytest.mark.parametrize(
    "value",
    [
        "0.00001",
        "20726.12345",
        "922337203685477.5808",
        "-922337203685477.5808",
        "1E+999999999999",
        "1E-999999999999",
        "NaN",
        "sNaN",
        "Infinity",
        "1.0000000000000000000000000000000000000001",
    ],
)
def test_a_value_without_room_is_refused(name: str, value: str) -> None:
    """In a sentence that names index, moment and figure."""
    given: dict[str, Any] = {name: Decimal(value)}
    with pytest.raises(
        Rejected, match=f"index 0000100 at 2010-01-22T10:00:15.*: {name} .* no room"
    ):
        data_of(evolve(TICK, **given))


@pytest.mark.parametrize(
    "value", ["922337203685477.5807", "-922337203685477.5807", "0E-999999999999"]
)
def test_the_widest_values_have_room(value: str) -> None:
    data = data_of(evolve(TICK, value=Decimal(value)))
    assert int(Decimal(value) * 10_000) == data.index_value_4dp_int64


def test_the_context_of_decimals_does_not_matter() -> None:
    """Six digits would make 20726.1 of it."""
    with localcontext() as context:
        context.prec = 6
        assert (
            207_261_234 == data_of(evolve(TICK, value=Decimal("20726.1234"))).index_value_4dp_int64
        )


@pytest.mark.parametrize("code", ["", "000010000000", "恒生指數", "HSI\n"])
def test_a_code_without_room_is_refused(code: str) -> None:
    with pytest.raises(Rejected, match="has no room in Index Data: it takes 1 to 11 ASCII"):
        data_of(evolve(TICK, index=code))


@pytest.mark.parametrize("year", [1600, 2300])
def test_a_moment_without_room_is_refused(year: int) -> None:
    with pytest.raises(Rejected, match="its moment has no room in Index Data"):
        data_of(evolve(TICK, at=datetime(year, 1, 1, tzinfo=UTC)))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="its moment has no zone"):
        data_of(evolve(TICK, at=datetime(2010, 1, 22, 10)))  # noqa: DTZ001


def test_a_moment_is_the_same_in_every_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))
    assert data_of(TICK) == data_of(evolve(TICK, at=elsewhere))


def test_who_computed_it_and_what_is_stale_is_not_carried() -> None:
    full = evolve(TICK, stale=(5, 388), engine="engine-1", site=SiteRole.PRIMARY)
    assert data_of(TICK) == data_of(full)


# -- what others send ------------------------------------------------------------------------------


def test_a_message_without_a_value_is_no_tick() -> None:
    assert tick_of(data_of(TICK)._replace(index_value_4dp_int64=NULL_INT64)) is None


@pytest.mark.parametrize("status", [b" ", b"\0", b"?", b"\xff"])
def test_a_status_that_means_nothing_is_unstated(status: bytes) -> None:
    tick = tick_of(data_of(TICK)._replace(index_status_ascii=status))
    assert tick is not None
    assert IndexStatus.UNSTATED is tick.status


@pytest.mark.parametrize("filler", [b"\0\0\0", b"FPS", b"   ", b"\x46\x50\x20"])
def test_a_filler_of_somebody_else_means_nothing(filler: bytes) -> None:
    """Real captures have all sorts of bytes in fillers."""
    tick = tick_of(data_of(TICK)._replace(filler=filler))
    assert tick is not None
    assert TickKind.REAL_TIME is tick.kind


@given(st.binary(min_size=108, max_size=108))
def test_whatever_comes_is_a_tick_or_none(body: bytes) -> None:
    data = CODEC.decode_message(b"\x70\x00\x47\x00" + body)
    assert isinstance(data, IndexData)
    tick = tick_of(data)
    assert tick is None or tick.at.tzinfo is not None
