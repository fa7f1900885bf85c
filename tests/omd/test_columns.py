"""Captures read by numpy give what arbiters and the codec give, and as much of it as can be."""

from __future__ import annotations

import pytest

from hkex_ops.omd.merging import Merger
from hkex_ops.omd.streaming import Piece, Subscription
from tests.omd.test_streaming import FORMATS, SEEDS
from tests.omd.traffic import ALSO, STEP_NS, codec, reference, told, traffic

columns = pytest.importorskip("hkex_ops.omd.columns", reason="wants the extra `data`")


def rows_of(piece: columns.ColumnPiece) -> Piece:
    """Columns as rows again."""
    trades, marks = piece
    return Piece(list(zip(*(column.tolist() for column in trades), strict=True)), marks)


def in_columns(data: bytes, *, piece: int) -> tuple[list[Piece], list[object]]:
    merger = Merger(codec)
    subscription = Subscription(codec, step_ns=STEP_NS, also=ALSO, merger=merger)
    subscribed = columns.ColumnSubscription(subscription)
    pieces = [
        rows_of(subscribed.feed_columns(data[at : at + piece])) for at in range(0, len(data), piece)
    ]
    rest, error = subscribed.close_columns()
    assert error is None
    return [*pieces, rows_of(rest)], list(merger.health)


@pytest.fixture(autouse=True)
def small_slices_are_worth_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else captures of a test's size would all be read the plain way."""
    monkeypatch.setattr(columns, "WORTHWHILE_BYTES", 0)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_columns_hold_what_arbiters_deliver(seeds: range, form: str) -> None:
    """Of captures with every fault, in slices large and small."""
    for seed in seeds:
        arrivals = traffic(seed, faults=(0.1, 0.02, 0.0)[seed % 3])
        data, expected = FORMATS[form](arrivals), reference(arrivals)
        for piece in (1 << 20, 5_000):
            pieces, health = in_columns(data, piece=piece)
            assert expected == (told(pieces), health), (seed, piece)
