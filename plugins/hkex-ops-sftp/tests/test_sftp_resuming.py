"""A large report that was begun is gone on with, and only if it is still the same report."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hostile_servers import Desk, Line, served
from memory_server import MODIFIED_S, MemoryServer
from sftp_benches import Keys

from hkex_ops import ManualClock
from hkex_ops.flows import receiving
from hkex_ops.flows.store import partials
from hkex_ops.model import HONG_KONG
from hkex_ops.reports.events import BytesReceived, FindingKind, ReportGoneOnWith

FRIDAY = datetime(2023, 4, 14, 20, tzinfo=HONG_KONG)
NAME = b"TP001_20230414.csv"
CONTENT = Random(1).randbytes(900_000)
LOST_AT = 500_000


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as large here is small, so that it is quick."""
    monkeypatch.setattr(receiving, "LARGE_BYTES", 100_000)
    monkeypatch.setattr(receiving, "COMPARED_BYTES", 10_000)
    monkeypatch.setattr(partials, "CHECKPOINT_BYTES", 64_000)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive", ManualClock(FRIDAY))


async def begin(desk: Desk, keys: Keys) -> None:
    """A first run, in which the line falls half-way."""
    server = MemoryServer({NAME: CONTENT}, limits=True)
    async with served(keys, server, lambda: Line(hangs_up_at=LOST_AT)) as hostile:
        await desk.fetch(hostile.options())
    assert desk.failure is not None
    desk.events.clear()


async def go_on(desk: Desk, keys: Keys, server: MemoryServer) -> int:
    """A second run with a server that is well; how many bytes it brought."""
    async with served(keys, server) as hostile:
        await desk.fetch(hostile.options())
    return sum(one.size_bytes for one in desk.events if isinstance(one, BytesReceived))


async def test_the_next_run_brings_only_what_is_missing(desk: Desk, keys: Keys) -> None:
    await begin(desk, keys)
    brought = await go_on(desk, keys, MemoryServer({NAME: CONTENT}))
    [went_on] = [one for one in desk.events if isinstance(one, ReportGoneOnWith)]
    assert (NAME.decode(), len(CONTENT)) == (went_on.name, went_on.size_bytes)
    assert len(CONTENT) - LOST_AT <= brought == len(CONTENT) - went_on.held_bytes
    assert {NAME.decode(): CONTENT} == desk.kept()
    assert [] == list(desk.folder.rglob("resume-*"))


async def test_an_attempt_in_the_same_run_goes_on_as_well(desk: Desk, keys: Keys) -> None:
    desk.attempts = 2
    places = iter([LOST_AT])
    server = MemoryServer({NAME: CONTENT}, limits=True)
    async with served(keys, server, lambda: Line(hangs_up_at=next(places, None))) as hostile:
        await desk.fetch(hostile.options())
    brought = sum(one.size_bytes for one in desk.events if isinstance(one, BytesReceived))
    assert len(CONTENT) == brought
    assert {NAME.decode(): CONTENT} == desk.kept()


@pytest.mark.parametrize("place", ["held", "noted"])
async def test_what_was_spoilt_here_meanwhile_is_fetched_anew(
    desk: Desk, keys: Keys, place: str
) -> None:
    """A byte of what is held, or the note of it."""
    await begin(desk, keys)
    [path] = desk.folder.rglob("resume-*" + (".part" if place == "held" else ".json"))
    spoilt = bytearray(path.read_bytes())
    spoilt[len(spoilt) // 3] ^= 1
    path.write_bytes(spoilt)
    assert len(CONTENT) == await go_on(desk, keys, MemoryServer({NAME: CONTENT}))
    assert {NAME.decode(): CONTENT} == desk.kept()


async def test_another_size_is_another_report(desk: Desk, keys: Keys) -> None:
    await begin(desk, keys)
    assert len(CONTENT) + 4 == await go_on(desk, keys, MemoryServer({NAME: CONTENT + b"more"}))
    assert {NAME.decode(): CONTENT + b"more"} == desk.kept()


async def test_a_report_written_anew_in_the_same_second_is_found_by_comparing(
    desk: Desk, keys: Keys
) -> None:
    """As long as before and of the same time; nothing wrong is kept, and the next run is whole."""
    await begin(desk, keys)
    other = Random(2).randbytes(len(CONTENT))
    await go_on(desk, keys, MemoryServer({NAME: other}))
    assert {NAME.decode(): FindingKind.CHANGED_WHILE_READ} == desk.found()
    assert {} == desk.kept()
    await go_on(desk, keys, MemoryServer({NAME: other}))
    assert {NAME.decode(): other} == desk.kept()


async def test_a_report_that_got_shorter_is_not_kept(desk: Desk, keys: Keys) -> None:
    await begin(desk, keys)
    shorter = MemoryServer({NAME: CONTENT[:1000]}, listed=[(NAME, len(CONTENT))])
    await go_on(desk, keys, shorter)
    assert [FindingKind.CUT_SHORT] == list(desk.found().values())
    assert {} == desk.kept()


async def test_what_nobody_went_on_with_for_a_week_is_swept(desk: Desk, keys: Keys) -> None:
    await begin(desk, keys)
    desk.clock = ManualClock(FRIDAY + timedelta(days=8))
    await go_on(desk, keys, MemoryServer({}))
    assert [] == list(desk.folder.rglob("resume-*"))


async def test_the_time_of_the_report_is_part_of_what_it_is(desk: Desk, keys: Keys) -> None:
    await begin(desk, keys)
    server = MemoryServer({NAME: CONTENT})
    server.modified_s[NAME] = MODIFIED_S + 1
    await go_on(desk, keys, server)
    assert [FindingKind.CHANGED_WHILE_READ] == list(desk.found().values())


async def test_what_came_whole_before_a_run_was_killed_is_swept(desk: Desk, keys: Keys) -> None:
    """Killed after the report had its final name: the temporary one is a second name of it."""
    await begin(desk, keys)
    left = {path.name: path.read_bytes() for path in desk.folder.rglob("resume-*")}
    [staging] = {path.parent for path in desk.folder.rglob("resume-*")}
    await go_on(desk, keys, MemoryServer({NAME: CONTENT}))
    [placed] = desk.folder.rglob(NAME.decode())
    for name, content in left.items():
        if name.endswith(".part"):
            (staging / name).hardlink_to(placed)
        else:
            (staging / name).write_bytes(content)
    await go_on(desk, keys, MemoryServer({NAME: CONTENT}))
    assert [] == list(desk.folder.rglob("resume-*"))
    assert {NAME.decode(): CONTENT} == desk.kept()
