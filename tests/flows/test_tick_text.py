"""Ticks spelt in bulk are spelt as the model spells each."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.index.tick_text import csv_header, csv_moment, json_moment, spelling_of
from hkex_ops.flows.outputs import growing_file
from hkex_ops.index.ticks import TickComputed, index_tick
from hkex_ops.model import IndexStatus, TickKind, format_tick

NS = 1_795_000_000_000_000_000

units = st.integers(-(10**12), 10**12)
maybe = st.none() | units
ticks = st.builds(
    TickComputed,
    st.sampled_from(["0000100", "ONE", "0001400"]),
    st.just(NS),
    units,
    maybe,
    maybe,
    st.sampled_from(IndexStatus),
    st.lists(st.integers(1, 99_999), max_size=3).map(tuple),
    st.just(()),
    maybe,
    maybe,
    maybe,
)


@given(st.lists(ticks, max_size=3), st.integers(0, 6))
def test_lines_of_json_are_the_models(moment: list[TickComputed], decimals: int) -> None:
    expected = [
        format_tick(index_tick(tick, kind=TickKind.RECALCULATED, decimals=decimals))
        for tick in moment
    ]
    assert expected == json_moment(moment, decimals).splitlines()


@given(st.lists(ticks, max_size=3), st.integers(0, 6))
def test_rows_hold_the_same(moment: list[TickComputed], decimals: int) -> None:
    rows = csv.DictReader((csv_header() + csv_moment(moment, decimals)).splitlines())
    for tick, row in zip(moment, rows, strict=True):
        model = index_tick(tick, decimals=decimals)
        assert (model.index, model.at.isoformat()) == (row["index"], row["time"])
        assert model.value == Decimal(row["value"])
        for name in ("high", "low", "opening", "closing", "previous_close"):
            figure = getattr(model, name)
            assert row[name] == ("" if figure is None else format(figure, "f"))
        assert " ".join(map(str, model.stale)) == row["stale"]


def test_an_ending_that_says_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"t\.txt must end in one of \.csv, \.jsonl, \.ndjson"):
        spelling_of(Path("t.txt"))


class TestGrowingFile:
    def test_it_has_its_name_when_all_went_well(self, tmp_path: Path) -> None:
        path = tmp_path / "new.csv"
        with growing_file(path) as write:
            write(b"one")
            assert not path.exists()
            write(b"two")
        assert (b"onetwo", ["new.csv"]) == (
            path.read_bytes(),
            [one.name for one in tmp_path.iterdir()],
        )

    def test_nothing_is_left_of_what_failed(self, tmp_path: Path) -> None:
        def fails() -> None:
            with growing_file(tmp_path / "new.csv") as write:
                write(b"one")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fails()
        assert [] == list(tmp_path.iterdir())

    def test_what_is_there_stays_whenever_it_came(self, tmp_path: Path) -> None:
        path = tmp_path / "new.csv"

        def grows() -> None:
            with growing_file(path) as write:
                write(b"one")
                path.write_bytes(b"meanwhile")

        path.write_bytes(b"before")
        with pytest.raises(StoreError, match="something of that name"):
            grows()
        assert b"before" == path.read_bytes()
        path.unlink()
        with pytest.raises(StoreError, match="something of that name"):
            grows()
        assert b"meanwhile" == path.read_bytes()
