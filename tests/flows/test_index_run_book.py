"""What a run writes down, and what it knows again after a kill: nothing goes out twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError
from hkex_ops.flows.index.board import InHand, QuarantineRow
from hkex_ops.flows.index.events import MessageQuarantined, MessageSuspected, ProcessHung
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import HONG_KONG, IndexTick, TickKind

NOON = datetime(2026, 11, 20, 12, tzinfo=HONG_KONG)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as folder:
        yield folder


def book(folder: Folder) -> RunBook:
    return RunBook.open(folder, ManualClock(NOON))


def ticks(
    seconds: int, *indexes: str, kind: TickKind = TickKind.REAL_TIME
) -> tuple[IndexTick, ...]:
    at = NOON + timedelta(seconds=seconds)
    return tuple(
        IndexTick(index, at, Decimal("1.00"), kind=kind) for index in indexes or ("HSI", "HSCEI")
    )


def test_a_value_is_out_once_also_after_a_kill(folder: Folder) -> None:
    first = book(folder)
    assert ticks(2) == first.ticks(ticks(2))
    assert () == first.ticks(ticks(2))
    again = book(folder)
    assert (True, 2) == (again.begun, again.published)
    assert () == again.ticks(ticks(2))
    assert () == again.ticks(ticks(0))
    assert ticks(4) == again.ticks(ticks(4))


def test_an_index_that_was_missing_is_not_kept_back_by_the_others(folder: Folder) -> None:
    first = book(folder)
    first.ticks(ticks(2, "HSI"))
    assert ticks(2, "HSCEI") == first.ticks(ticks(2))
    assert ticks(2, "HSTECH") == book(folder).ticks(ticks(2, "HSI", "HSTECH", "HSCEI"))


def test_contingency_values_are_counted_for_themselves(folder: Folder) -> None:
    first = book(folder)
    first.ticks(ticks(4))
    contingency = ticks(2, kind=TickKind.CONTINGENCY)
    assert contingency == first.ticks(contingency)
    again = book(folder)
    assert () == again.ticks(contingency)
    assert NOON + timedelta(seconds=4) == again.published_until


def test_what_was_quarantined_and_suspected_is_known_again(folder: Folder) -> None:
    first = book(folder)
    first.event(MessageQuarantined(NOON, "engine-1", 30, 7, 7, 5, "died"), durable=True)
    first.event(MessageQuarantined(NOON, "engine-1", 30, 9, 12, None, "died"))
    first.event(MessageSuspected(NOON, "engine-2", 31, 3, 3, 941))
    again = book(folder)
    assert [QuarantineRow(30, 7, 7, 5), QuarantineRow(30, 9, 12, 0)] == again.quarantined
    assert {InHand(31, 3, 3, 941)} == again.suspects


def test_where_it_stood_is_never_behind_what_is_out(folder: Folder) -> None:
    first = book(folder)
    first.stands({"gateway": {"newest": time_ns_of(NOON), "state": "publishing"}, "session": None})
    first.ticks(ticks(6))
    stood = book(folder).stood
    assert stood is not None
    assert {"newest": time_ns_of(NOON + timedelta(seconds=6)), "state": "publishing"} == (
        stood["gateway"]
    )


def test_what_engines_tell_alike_is_written_once(folder: Folder) -> None:
    first = book(folder)
    told = [first.told(f"engine-{n}", "record-journalled", {"row": 1}, once=True) for n in (1, 2)]
    told.append(first.told("engine-1", "record-journalled", {"row": 2}, once=True))
    told += [first.told(f"engine-{n}", "gap-opened", {"begin": 1}, once=False) for n in (1, 2)]
    assert [True, False, True, True, True] == told
    assert {"record-journalled": 3, "gap-opened": 2} == dict(first.counts)


def test_a_disk_that_takes_nothing_stops_no_tick_and_is_said(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = book(folder)

    def full(*_: object, **__: object) -> None:
        raise StoreError("cannot write the journal: the disk is full", path="journal.jsonl")

    with monkeypatch.context() as patch:
        patch.setattr(first.journal, "record", full)
        assert ticks(2) == first.ticks(ticks(2))
        assert first.trouble is not None
        assert "the disk is full" in first.trouble
        assert () == first.ticks(ticks(2))
    first.event(ProcessHung(NOON, "engine-1", 1_500))
    assert first.trouble is None
