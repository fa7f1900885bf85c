"""Hostile and broken servers: each ends in a clear word, and archive and ledger stay whole.

What other clients do of each is in the comparison that the benchmark's page tells.
"""

from __future__ import annotations

import asyncio
import os
import resource
import stat
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hostile_servers import Desk, ErrsEveryThird, Line, served
from memory_server import MODIFIED_S, MemoryServer, data, status
from sftp_benches import Keys

from hkex_ops import ManualClock
from hkex_ops.errors import (
    HostKeyMismatch,
    StoreError,
    TimedOut,
    TransientError,
    Unreachable,
)
from hkex_ops.model import HONG_KONG
from hkex_ops.reports.events import FindingKind, LoggedOut
from hkex_ops_sftp import connections

FRIDAY = datetime(2023, 4, 14, 20, tzinfo=HONG_KONG)


def name_of(number: int) -> bytes:
    return b"TP%03d_20230414.csv" % number


def files(count: int = 8, largest: int = 60_000) -> dict[bytes, bytes]:
    random = Random(count)
    return {name_of(n): random.randbytes(random.randrange(1, largest)) for n in range(count)}


def as_kept(server: MemoryServer, without: Iterable[bytes] = ()) -> dict[str, bytes]:
    return {name.decode(): content for name, content in server.files.items() if name not in without}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive", ManualClock(FRIDAY))


async def require_whole_next_time(desk: Desk, keys: Keys, contents: dict[bytes, bytes]) -> None:
    """What was kept is right; a server that is well completes it, once."""
    before = desk.kept()
    assert before.items() <= as_kept(MemoryServer(contents)).items()
    well = MemoryServer(dict(contents))
    async with served(keys, well) as hostile:
        await desk.fetch(hostile.options())
    assert as_kept(well) == desk.kept()
    assert len(contents) - len(before) == len(well.asked), "what was whole was fetched again"


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(b"../TP900_20230414.csv", id="parent"),
            pytest.param(b"/etc/TP900_20230414.csv", id="absolute"),
            pytest.param(b"sub\\TP900_20230414.csv", id="backslash"),
            pytest.param(b"TP900_20230414\0.csv", id="nul"),
            pytest.param(b"TP900_20230414\n.csv", id="newline"),
            pytest.param(b"TP900_20230414\x1b[2J.csv", id="terminal-sequence"),
            pytest.param(b"TP900_20230414" + b"a" * 4000, id="four-thousand-letters"),
            pytest.param(b"TP900_20230414\xe9.csv", id="not-utf-8"),
            pytest.param(b".TP900_20230414.csv", id="hidden"),
        ],
    )
    async def test_a_name_that_could_do_harm_is_told_and_the_others_are_kept(
        self, desk: Desk, keys: Keys, name: bytes, tmp_path: Path
    ) -> None:
        server = MemoryServer({**files(3), name: b"harm"})
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
        [kind] = set(desk.found().values())
        assert kind in (FindingKind.REFUSED_NAME, FindingKind.UNRECOGNISED)
        assert as_kept(server, without=[name]) == desk.kept()
        assert ["archive"] == os.listdir(tmp_path)

    async def test_names_that_differ_only_by_case_are_two_reports(
        self, desk: Desk, keys: Keys
    ) -> None:
        server = MemoryServer({b"TP001_20230414.csv": b"upper", b"TP001_20230414.CSV": b"lower"})
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
        assert as_kept(server) == desk.kept()

    @pytest.mark.parametrize(
        "mode",
        [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR],
    )
    async def test_links_devices_and_folders_are_not_asked_for(
        self, desk: Desk, keys: Keys, mode: int
    ) -> None:
        server = MemoryServer({**files(2), b"TP900_20230414.csv": b"no file"})
        server.modes[b"TP900_20230414.csv"] = mode | 0o644
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
        assert as_kept(server, without=[b"TP900_20230414.csv"]) == desk.kept()
        assert [] == [one for one in server.asked if "TP900" in one]


class Changing(MemoryServer):
    """Its file is another at every READ after the first."""

    change: Callable[[bytes], bytes]
    name = name_of(0)

    def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
        answer = super().read(number, content, offset, length)
        self.files[self.name] = self.change(self.files[self.name])
        self.modified_s[self.name] = MODIFIED_S + 60
        return answer


class Grows(Changing):
    """A file to which something is added while it is read."""

    def change(self, content: bytes) -> bytes:
        return content + b"more"


class Shrinks(Changing):
    """A file that is cut while it is read."""

    def change(self, content: bytes) -> bytes:
        return content[: len(content) // 2]


class Rewrites(Changing):
    """A file that is written anew while it is read, as long as before."""

    def change(self, content: bytes) -> bytes:
        return content[::-1]


class TestFilesThatChange:
    @pytest.mark.parametrize("kind", [Grows, Shrinks, Rewrites])
    async def test_a_file_that_changes_while_it_is_read_is_not_kept(
        self, desk: Desk, keys: Keys, kind: type[Changing]
    ) -> None:
        server = kind({name_of(0): Random(1).randbytes(100_000)})
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
        [found] = desk.found().values()
        assert found in (FindingKind.CHANGED_WHILE_READ, FindingKind.CUT_SHORT)
        assert {} == desk.kept()

    @pytest.mark.parametrize("listed", [0, 10, 99_999, 100_001, 5_000_000, 1 << 60])
    async def test_a_size_that_lies_is_found_out(self, desk: Desk, keys: Keys, listed: int) -> None:
        server = MemoryServer({name_of(0): bytes(100_000)}, listed=[(name_of(0), listed)])
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
        [found] = desk.found().values()
        assert found in (FindingKind.CHANGED_WHILE_READ, FindingKind.CUT_SHORT)
        assert {} == desk.kept()


class TestLines:
    async def test_a_server_that_stalls_at_any_byte_is_left_in_time(
        self, tmp_path: Path, keys: Keys
    ) -> None:
        """Each within its patience of one second, and the next run completes."""
        contents = files(6, largest=3_000)

        async def stalled(at: int) -> None:
            desk = Desk(tmp_path / str(at), ManualClock(FRIDAY))
            async with served(
                keys, MemoryServer(dict(contents)), lambda: Line(stalls_at=at)
            ) as hostile:
                await desk.fetch(hostile.options(files_in_flight=2))
            assert isinstance(desk.failure, TransientError), desk.failure
            await require_whole_next_time(desk, keys, contents)

        places = [0, 3, 9, 12, 20, 60, 200, 400, 700, 1_500, 3_000, 4_500]
        await asyncio.gather(*(stalled(at) for at in places))

    async def test_a_server_that_hangs_up_at_any_byte_costs_what_was_under_way(
        self, tmp_path: Path, keys: Keys
    ) -> None:
        contents = files(6, largest=3_000)
        for at in [0, 1, 8, 9, 13, 25, 40, 100, 250, 500, 600, 900, 1_300, 2_600, 4_000]:
            desk = Desk(tmp_path / str(at), ManualClock(FRIDAY))
            async with served(
                keys, MemoryServer(dict(contents)), lambda at=at: Line(hangs_up_at=at)
            ) as hostile:
                await desk.fetch(hostile.options(files_in_flight=2))
            assert isinstance(desk.failure, Unreachable), desk.failure
            await require_whole_next_time(desk, keys, contents)

    async def test_a_line_that_falls_again_and_again_is_tried_again(
        self, desk: Desk, keys: Keys
    ) -> None:
        """What came whole before is not fetched again."""
        desk.attempts = 5
        places = iter([500, 4_000, 9_000])
        server = MemoryServer(files(6, largest=3_000))
        async with served(keys, server, lambda: Line(hangs_up_at=next(places, None))) as hostile:
            await desk.fetch(hostile.options(files_in_flight=1))
        assert as_kept(server) == desk.kept()
        assert len(server.asked) <= len(server.files) + 3

    async def test_a_server_that_answers_slowly_for_ever_is_left(
        self, desk: Desk, keys: Keys
    ) -> None:
        """A byte every tenth of a second is no answer in a second."""
        async with served(keys, MemoryServer(files(2)), lambda: Line(byte_s=0.1)) as hostile:
            await desk.fetch(hostile.options())
        assert isinstance(desk.failure, TransientError)
        assert {} == desk.kept()


class TestRefusals:
    async def test_errors_for_every_third_request_cost_those_reports_until_next_time(
        self, desk: Desk, keys: Keys
    ) -> None:
        contents = files(12, largest=3_000)
        async with served(keys, ErrsEveryThird(dict(contents))) as hostile:
            await desk.fetch(hostile.options(files_in_flight=1))
        if desk.failure is None:
            assert {FindingKind.NOT_FETCHED} == set(desk.found().values())
        await require_whole_next_time(desk, keys, contents)

    async def test_a_server_that_refuses_the_session_is_told(self, desk: Desk, keys: Keys) -> None:
        async with served(keys, MemoryServer(files(2)), most_sessions=0) as hostile:
            await desk.fetch(hostile.options())
        assert desk.failure is not None
        assert "logging in at" in str(desk.failure)

    async def test_a_server_that_runs_out_of_sessions_is_served_by_the_one_that_stands(
        self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "FAR_S", 0.0)
        monkeypatch.setattr(connections, "ON_THE_WAY_BYTES", 100_000)
        server = MemoryServer(files(12, largest=90_000))
        async with served(keys, server, most_sessions=1) as hostile:
            await desk.fetch(hostile.options(connections=4))
            assert 1 == len(hostile.sessions)
        assert as_kept(server) == desk.kept()
        assert isinstance(desk.events[-1], LoggedOut)

    async def test_more_sessions_are_opened_on_a_far_line_and_all_are_ended(
        self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "FAR_S", 0.0)
        monkeypatch.setattr(connections, "ON_THE_WAY_BYTES", 100_000)
        server = MemoryServer(files(200, largest=90_000))
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options(connections=3))
            assert 3 == len(hostile.sessions)
            assert 1 == len(set(hostile.sessions)), "another address was used"
        assert as_kept(server) == desk.kept()
        assert {} == server.handles

    async def test_where_a_third_session_is_refused_two_do_the_work(
        self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The third and the fourth are asked for together, and neither is asked for again."""
        monkeypatch.setattr(connections, "FAR_S", 0.0)
        monkeypatch.setattr(connections, "ON_THE_WAY_BYTES", 100_000)
        server = MemoryServer(files(200, largest=90_000))
        async with served(keys, server, most_sessions=2) as hostile:
            await desk.fetch(hostile.options(connections=4))
            assert 2 == len(hostile.sessions)
        assert as_kept(server) == desk.kept()
        assert {} == server.handles

    async def test_another_host_key_at_the_second_address_is_an_alarm(
        self, desk: Desk, keys: Keys
    ) -> None:
        """The first address is down, so the second is tried, and it is somebody else."""
        server = MemoryServer(files(2))
        async with served(keys, server, second_host_key="secondary", is_first_down=True) as hostile:
            await desk.fetch(hostile.options())
        assert isinstance(desk.failure, HostKeyMismatch)
        assert [] == server.asked


@contextmanager
def no_file_larger_than(size_bytes: int) -> Generator[None]:
    """The system's own limit: a write beyond it fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestThisMachine:
    async def test_no_room_for_a_report_keeps_what_was_whole(self, desk: Desk, keys: Keys) -> None:
        contents = {**files(3), name_of(900): bytes(900_000)}
        async with served(keys, MemoryServer(dict(contents))) as hostile:
            with no_file_larger_than(600_000):
                await desk.fetch(hostile.options(files_in_flight=1))
        assert isinstance(desk.failure, StoreError)
        assert "archived before is unharmed" in str(desk.failure)
        await require_whole_next_time(desk, keys, contents)

    @pytest.mark.parametrize("jump", [timedelta(hours=-30), timedelta(days=400)])
    async def test_a_clock_that_jumps_leaves_the_ledger_whole(
        self, desk: Desk, keys: Keys, jump: timedelta
    ) -> None:
        server = MemoryServer(files(3))
        async with served(keys, server) as hostile:
            await desk.fetch(hostile.options())
            desk.clock = ManualClock(FRIDAY + jump)
            later = desk.clock.now().strftime("%Y%m%d").encode()
            server.files[b"TP001_" + later + b".csv"] = b"later"
            await desk.fetch(hostile.options())
        assert as_kept(server) == desk.kept()


async def test_a_server_that_stops_in_the_middle_says_so_in_one_sentence(
    desk: Desk, keys: Keys
) -> None:
    class Stops(MemoryServer):
        """Answers no READ."""

        def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
            return b""

    async with served(keys, Stops(files(2))) as hostile:
        await desk.fetch(hostile.options())
    assert isinstance(desk.failure, TimedOut)
    assert "the server answered nothing for 1 s: try again" in str(desk.failure)


async def test_data_that_was_not_asked_for_ends_the_session(desk: Desk, keys: Keys) -> None:
    class Talks(MemoryServer):
        """Answers a READ twice."""

        def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
            return data(number, content[offset : offset + length]) + status(number, 1)

    async with served(keys, Talks(files(2))) as hostile:
        await desk.fetch(hostile.options())
    assert desk.failure is not None
    assert "was not made" in str(desk.failure)
    assert {} == desk.kept()
