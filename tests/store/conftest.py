"""An open archive in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops import HONG_KONG, ManualClock
from hkex_ops.flows.store import Archive


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2023, 4, 14, 21, 0, tzinfo=HONG_KONG))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archive(folder: Path, clock: ManualClock) -> Iterator[Archive]:
    with Archive.open(folder, clock=clock) as opened:
        yield opened
