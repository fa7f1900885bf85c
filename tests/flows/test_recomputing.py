"""Captures computed again: both ways agree, files may be several, and half a file is none."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hkex_ops.clock import SystemClock
from hkex_ops.config.layouts import load_codec
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, WireError
from hkex_ops.flows.index import recomputing
from hkex_ops.flows.index.journal import RunJournal
from hkex_ops.flows.index.recomputing import CaptureReading, recompute
from hkex_ops.flows.index.ticking import TICKS_PUBLISHED, published_body
from hkex_ops.flows.index.told_ticks import events_in, ticks_in
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.model import IndexStatus, IndexTick, TickKind
from hkex_ops.omd.capture import CaptureReader
from hkex_ops.omd.outline import CaptureOutline
from tests.flows.index_capture import OPENS, capture_of, day_of_market, ticks_of
from tests.flows.index_market import BASKETS, DAY

TODAY = load_calendar().day(DAY)
MARKET = day_of_market()
READING = CaptureReading(load_codec())


def figures(ticks: tuple[IndexTick, ...]) -> list[tuple[object, ...]]:
    return [(one.index, one.at, one.value, one.high, one.low, one.status) for one in ticks]


@pytest.fixture(params=["plain", "numpy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way of computing, whatever there is to read."""
    if request.param == "numpy":
        pytest.importorskip("numpy", reason="wants hkex-ops[data]")
    worthwhile = 0 if request.param == "numpy" else 1 << 40
    monkeypatch.setattr(recomputing, "WORTHWHILE_BYTES", worthwhile)
    return str(request.param)


@pytest.mark.parametrize("order", list(TickOrder))
@pytest.mark.parametrize("interval_s", [2, 15])
def test_every_way_gives_the_live_engines_values(
    way: str, order: TickOrder, interval_s: int, tmp_path: Path
) -> None:
    rules = IndexRules(order=order, interval_s=interval_s)
    capture = capture_of(tmp_path / "day.pcapng", MARKET)
    reading = CaptureReading(READING.codec, rules)
    found = recompute([capture], BASKETS, TODAY, reading)
    assert figures(tuple(ticks_of(MARKET, rules))) == figures(found.ticks)
    assert {TickKind.RECALCULATED} == {one.kind for one in found.ticks}
    assert found.whole


def test_a_capture_in_several_files_is_one(way: str, tmp_path: Path) -> None:
    whole = recompute([capture_of(tmp_path / "whole", MARKET)], BASKETS, TODAY, READING)
    third = len(MARKET) // 3
    parts = [
        capture_of(tmp_path / f"{place}.pcapng", MARKET[place * third : (place + 1) * third])
        for place in range(3)
    ]
    parts.append(capture_of(tmp_path / "3.pcapng", MARKET[3 * third :]))
    assert whole == recompute(parts, BASKETS, TODAY, READING)


def test_a_stretch_is_what_the_whole_day_has_there(way: str, tmp_path: Path) -> None:
    capture = capture_of(tmp_path / "day.pcapng", MARKET)
    whole = recompute([capture], BASKETS, TODAY, READING).ticks
    start, until = OPENS + timedelta(seconds=10), OPENS + timedelta(seconds=21)
    part = recompute([capture], BASKETS, TODAY, READING, start=start, until=until).ticks
    assert tuple(one for one in whole if start <= one.at <= until) == part
    assert () == recompute([capture], BASKETS, TODAY, READING, statuses={IndexStatus.CLOSING}).ticks


def test_memory_holds_the_ticks_and_a_slice(tmp_path: Path) -> None:
    """A watcher sees the file go by in slices."""
    capture = capture_of(tmp_path / "day.pcapng", MARKET)
    seen: list[int] = []
    recompute(
        [capture], BASKETS, TODAY, READING, watch=lambda path, read, size_bytes: seen.append(read)
    )
    assert [capture.stat().st_size] == seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2_000), slices=st.integers(1, 999))
def test_an_outline_finds_what_a_reader_finds(tmp_path: Path, cut: int, slices: int) -> None:
    """Wherever the file ends, and however it is read."""
    path = tmp_path / "outline.pcapng"
    data = (path if path.exists() else capture_of(path, MARKET[:12])).read_bytes()
    data = data[: max(len(data) - cut, 24)]
    outline, reader, begin = CaptureOutline(data), CaptureReader(), 0
    while begin < len(data):
        outline.feed(data[begin : begin + slices])
        begin += slices
    try:
        reader.feed(data)
        reader.close()
        whole = True
    except WireError:
        whole = False
    assert whole == outline.whole


def test_half_a_file_is_none_wherever_it_is_cut(way: str, tmp_path: Path) -> None:
    data = capture_of(tmp_path / "day.pcapng", MARKET).read_bytes()
    for cut in (1, 40, 333):
        (tmp_path / "cut.pcapng").write_bytes(data[:-cut])
        for until in (None, OPENS + timedelta(seconds=10)):
            with pytest.raises(ConfigError, match="cut off"):
                recompute([tmp_path / "cut.pcapng"], BASKETS, TODAY, READING, until=until)


def test_what_a_run_published_is_read_from_its_journal(tmp_path: Path) -> None:
    ticks = ticks_of(MARKET)
    with Folder.open(tmp_path) as folder:
        journal = RunJournal.open(folder, SystemClock())
        for _, own in groupby(ticks, key=lambda one: one.at):
            journal.record(TICKS_PUBLISHED, published_body(list(own)))
        journal.record("mode-changed", {"name": "contingency"})
        journal.close()
    assert ticks == list(ticks_in([tmp_path]))
    [(_, event)] = events_in([tmp_path])
    assert ("mode-changed", "contingency") == (event["event"], event["name"])
