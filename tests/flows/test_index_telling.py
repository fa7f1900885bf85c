"""What an engine tells survives the wire and the journal as it was."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, strategies as st

from hkex_ops.flows.index.pipeline import Taken
from hkex_ops.flows.index.telling import lines_of, session_in, ticks_in
from hkex_ops.flows.index.ticking import published_body, published_in
from hkex_ops.index.records import SessionRecord, TradeRecord
from hkex_ops.index.ticks import JournalReason, RecordJournalled, StockMarked, TickComputed
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, JsonObject, SiteRole, TickKind
from hkex_ops.omd.events import GapLost, Losing, PacketRefused

NS = 1_795_000_000_000_000_000
NOON = datetime(2026, 11, 20, 12, tzinfo=HONG_KONG)

figures = st.none() | st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=2).map(
    lambda one: one.quantize(Decimal("0.01"))
)
codes = st.lists(st.integers(1, 99_999), max_size=3).map(tuple)
units = st.none() | st.integers(0, 10**11)
computed = st.builds(
    TickComputed,
    st.sampled_from(["0000100", "HSI"]),
    st.sampled_from([NS, NS + 2 * 10**9]),
    st.integers(0, 10**11),
    units,
    units,
    st.sampled_from(IndexStatus),
    codes,
    codes,
    units,
    units,
    units,
)


def through(line: JsonObject) -> JsonObject:
    found: JsonObject = json.loads(json.dumps(line))
    return found


@given(st.lists(computed, max_size=6))
def test_ticks_come_back_as_they_were_a_moment_a_line(ticks: list[TickComputed]) -> None:
    lines = [through(line) for line in lines_of(Taken(ticks, ()))]
    assert ticks == [tick for line in lines for tick in ticks_in(line)]
    for line in lines:
        assert 1 == len({tick.time_ns for tick in ticks_in(line)})


def test_a_session_comes_back_as_it_was() -> None:
    session = SessionRecord(1, 9, "MAIN", 3, 30, NS)
    [line] = lines_of(Taken((session,), ()))
    assert ("session", session) == (line["say"], session_in(through(line)))


def test_everything_else_is_its_name_and_plain_fields() -> None:
    trade = TradeRecord(30, 7, 5, 2, 60_000, 100, 0, NS, NS)
    told = lines_of(
        Taken(
            (
                RecordJournalled(JournalReason.OUT_OF_SEQUENCE, trade, NS),
                StockMarked(5, JournalReason.LOST, NS),
            ),
            (
                GapLost(30, 3, 9, NS, Losing.TIME),
                PacketRefused(30, "A", NS, "too short", bytes(20)),
            ),
        )
    )
    lines = [through(line) for line in told]
    assert [
        ("told", "record-journalled"),
        ("told", "stock-marked"),
        ("health", "gap-lost"),
        ("health", "packet-refused"),
    ] == [(line["say"], line["kind"]) for line in lines]
    assert lines[0]["fields"] == {
        "reason": "out-of-sequence",
        "record": ["TradeRecord", *trade],
        "time_ns": NS,
    }
    fields = lines[3]["fields"]
    assert isinstance(fields, dict)
    assert 20 == fields["packet"]


@given(
    st.builds(
        IndexTick,
        index=st.sampled_from(["0000100", "恆生"]),
        at=st.integers(0, 60).map(lambda seconds: NOON + timedelta(seconds=seconds)),
        value=figures.filter(lambda one: one is not None),
        high=figures,
        low=figures,
        status=st.sampled_from(IndexStatus),
        kind=st.sampled_from(TickKind),
        opening=figures,
        closing=figures,
        previous_close=figures,
        stale=codes,
        engine=st.sampled_from(["", "engine-1"]),
        site=st.none() | st.sampled_from(SiteRole),
    )
)
def test_what_was_published_comes_back_out_of_the_journal(tick: IndexTick) -> None:
    assert (tick,) == published_in(through(published_body([tick])))
