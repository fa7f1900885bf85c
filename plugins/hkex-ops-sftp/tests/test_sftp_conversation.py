"""SFTP without a connection: listings and files, whatever is answered and however it is cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, strategies as st
from memory_server import FAILURE, MODIFIED_S, MemoryServer, data, status, version

from hkex_ops.errors import Rejected, RemoteError
from hkex_ops.model import ListedReport
from hkex_ops.ports import Delivery, ReportChunk, ReportEnd, ReportFailed
from hkex_ops_sftp.conversation import MAX_ANSWER_BYTES, Conversation
from hkex_ops_sftp.fetching import CHUNK_BYTES, Fetching
from hkex_ops_sftp.file_reading import (
    ASKED_AT_ONCE_BYTES,
    GROWTH_ROUNDS,
    LARGE_BYTES,
    Allowance,
)
from hkex_ops_sftp.folder_listing import FolderListing
from hkex_ops_sftp.wire import Broken, Kind, Status

ENOUGH = 1 << 24
TURNS = 20_000


def turn(pairs: Iterable[tuple[Conversation, MemoryServer]], cut: Random | None = None) -> bool:
    """One exchange on every conversation; whether anything was said."""
    said = False
    for conversation, server in pairs:
        sent = conversation.take_output()
        answer = server.take(sent) if sent else b""
        said = said or bool(sent)
        while answer:
            size = len(answer) if cut is None else cut.randint(1, len(answer))
            conversation.receive(answer[:size])
            answer = answer[size:]
    return said


def greeted(server: MemoryServer) -> Conversation:
    conversation = Conversation()
    turn([(conversation, server)])
    assert conversation.is_open
    turn([(conversation, server)])
    return conversation


def listed(server: MemoryServer, cut: Random | None = None) -> tuple[FolderListing, int]:
    """The whole listing, and how many round trips it took."""
    conversation = greeted(server)
    listing = FolderListing(conversation, b"out")
    turns = 0
    while not listing.is_ended:
        listing.go_on()
        assert turn([(conversation, server)], cut), "nothing is asked and nothing has ended"
        turns += 1
    turn([(conversation, server)])
    return listing, turns


def fetching(
    reports: Iterable[ListedReport],
    allowances: list[Allowance],
    *,
    most_open: int = 100,
    start: int = 0,
) -> Fetching:
    def failed(report: ListedReport, answer: Status) -> RemoteError:
        return Rejected(f"{report.name}: {answer.reason}")

    return Fetching(
        ((report, start) for report in reports),
        allowances,
        most_open=most_open,
        refusal=lambda report: None,
        path=lambda report: b"out/" + report.name.encode(),
        failed=failed,
    )


def fetched(
    reports: Iterable[ListedReport],
    *servers: MemoryServer,
    cut: Random | None = None,
    most_open: int = 100,
    left: int = ENOUGH,
    between: Callable[[], None] = lambda: None,
) -> list[Delivery]:
    """Everything delivered; every byte of the allowances must have come back by then."""
    allowances = [Allowance(greeted(server), left) for server in servers]
    fetch = fetching(reports, allowances, most_open=most_open)
    pairs = [(one.conversation, server) for one, server in zip(allowances, servers, strict=True)]
    deliveries: list[Delivery] = []
    for _ in range(TURNS):
        fetch.go_on()
        is_room_made = bool(fetch.waiting)
        while fetch.waiting:
            deliveries.append(fetch.take())
        if fetch.is_finished:
            break
        between()
        if is_room_made:
            continue
        assert turn(pairs, cut), "nothing is asked and nothing has ended"
    else:
        raise AssertionError("it goes on for ever")
    turn(pairs)
    assert [left] * len(servers) == [one.left for one in allowances]
    assert [0] * len(servers) == [len(server.handles) for server in servers]
    return deliveries


def contents(deliveries: Iterable[Delivery]) -> dict[str, bytes]:
    """Whole files; their chunks must be in order and without a gap."""
    parts: dict[str, bytearray] = {}
    ends: dict[str, bytes] = {}
    for one in deliveries:
        name = one.report.name
        assert name not in ends, "something came after the end"
        match one:
            case ReportChunk(_, offset, piece):
                assert offset == len(parts.setdefault(name, bytearray()))
                parts[name] += piece
            case ReportEnd():
                ends[name] = bytes(parts.get(name, b""))
            case ReportFailed():
                pass
    return ends


def reports_of(server: MemoryServer) -> list[ListedReport]:
    return [ListedReport(name.decode(), len(content)) for name, content in server.files.items()]


def some_files(random: Random, count: int, largest: int = 300_000) -> dict[bytes, bytes]:
    return {b"TP%03d.csv" % n: random.randbytes(random.randrange(largest)) for n in range(count)}


class TestListing:
    def test_twenty_thousand_names_take_a_dozen_round_trips(self) -> None:
        """The questions on their way double up to sixty-four; singly it would be two hundred."""
        server = MemoryServer(listed=[(b"TP%05d.csv" % n, n) for n in range(20_000)])
        listing, turns = listed(server)
        assert [b"TP%05d.csv" % n for n in range(20_000)] == [one.name for one in listing.entries]
        assert (20_000, 12) >= (len(listing.entries), turns)
        assert {} == server.handles

    def test_the_entries_say_what_the_server_says(self) -> None:
        listing, _ = listed(MemoryServer({b".": b"", b"TP001.csv": b"1234", b"..": b""}))
        [entry] = listing.entries
        assert (b"TP001.csv", (4, 0o100644, MODIFIED_S)) == (entry.name, entry.attributes)

    def test_a_server_that_takes_one_question_at_a_time_is_asked_so(self) -> None:
        """What came before the refusal is not told twice."""
        server = MemoryServer(
            listed=[(b"TP%05d.csv" % n, n) for n in range(1000)], one_question_at_a_time=True
        )
        listing, _ = listed(server)
        assert [b"TP%05d.csv" % n for n in range(1000)] == sorted(
            one.name for one in listing.entries
        )
        assert (None, None) == (listing.failure, listing.twice)

    def test_a_name_told_twice_is_found_when_asked_singly(self) -> None:
        entries = [(b"TP%05d.csv" % n, n) for n in range(1000)]
        listing, _ = listed(MemoryServer(listed=[*entries, entries[3]]))
        assert b"TP00003.csv" == listing.twice

    def test_a_folder_that_cannot_be_opened_is_told(self) -> None:
        class Forbids(MemoryServer):
            def answer(self, request, turn):  # type: ignore[no-untyped-def]
                if request.kind == Kind.OPENDIR:
                    return status(request.number, 3, b"not yours")
                return super().answer(request, turn)

        listing, _ = listed(Forbids())
        assert Status(3, "not yours") == listing.failure

    @given(st.randoms(use_true_random=False), st.integers(0, 400))
    def test_it_is_the_same_however_the_bytes_are_cut(self, random: Random, count: int) -> None:
        entries = [(b"TP%05d.csv" % n, n) for n in range(count)]
        listing, _ = listed(MemoryServer(listed=entries, page=7), Random(random.random()))
        assert [name for name, _ in entries] == [one.name for one in listing.entries]


class TestFiles:
    def test_small_files_take_three_round_trips_together(self) -> None:
        """Open, read with a look behind it, close: for a hundred files as for one."""
        server = MemoryServer(some_files(Random(1), 100, largest=60_000), limits=True)
        conversation = greeted(server)
        fetch = fetching(reports_of(server), [Allowance(conversation, ENOUGH)])
        turns = 0
        while True:
            fetch.go_on()
            ended = sum(isinstance(one, ReportEnd) for one, _ in fetch.waiting)
            if ended == len(server.files):
                break
            turn([(conversation, server)])
            turns += 1
        assert 2 == turns

    @pytest.mark.parametrize("backwards", [False, True], ids=["in-turn", "out-of-turn"])
    @pytest.mark.parametrize("most_bytes", [1 << 20, 32_768, 5_000])
    @pytest.mark.parametrize("left", [ENOUGH, 1])
    def test_every_byte_of_every_file_comes(
        self, backwards: bool, most_bytes: int, left: int
    ) -> None:
        """Short answers, answers out of turn, and hardly any allowance."""
        server = MemoryServer(
            some_files(Random(2), 30), backwards=backwards, most_bytes=most_bytes, limits=True
        )
        deliveries = fetched(reports_of(server), server, left=left)
        assert {name.decode(): one for name, one in server.files.items()} == contents(deliveries)
        ends = {one.report.name: one for one in deliveries if isinstance(one, ReportEnd)}
        assert {one.name: one.size_bytes for one in reports_of(server)} == {
            name: end.size_bytes for name, end in ends.items()
        }

    def test_a_large_file_is_read_over_every_conversation_there_is(self) -> None:
        content = Random(3).randbytes(3 * LARGE_BYTES)
        servers = [MemoryServer({b"large": content}, limits=True) for _ in range(3)]
        deliveries = fetched([ListedReport("large", len(content))], *servers)
        assert {"large": content} == contents(deliveries)
        assert [1, 1, 1] == [server.opened for server in servers]

    @given(st.randoms(use_true_random=False))
    def test_it_is_the_same_however_the_bytes_are_cut(self, random: Random) -> None:
        server = MemoryServer(some_files(Random(4), 5, largest=2_000), most_bytes=700)
        deliveries = fetched(reports_of(server), server, cut=Random(random.random()))
        assert {name.decode(): one for name, one in server.files.items()} == contents(deliveries)

    def test_a_file_cut_short_meanwhile_ends_where_it_ends(self) -> None:
        server = MemoryServer({b"TP001.csv": bytes(100_000)}, limits=True)
        deliveries = fetched([ListedReport("TP001.csv", 1_000_000)], server)
        assert {"TP001.csv": bytes(100_000)} == contents(deliveries)
        assert 100_000 == deliveries[-1].size_bytes  # type: ignore[union-attr]

    @pytest.mark.parametrize("listed_bytes", [0, 1, 99_999])
    def test_a_file_longer_than_it_was_listed_is_read_to_its_end(self, listed_bytes: int) -> None:
        content = Random(5).randbytes(100_000)
        server = MemoryServer({b"TP001.csv": content})
        deliveries = fetched([ListedReport("TP001.csv", listed_bytes)], server)
        assert {"TP001.csv": content} == contents(deliveries)

    def test_a_file_that_grows_for_ever_is_followed_only_so_far(self) -> None:
        server = MemoryServer({b"TP001.csv": b"0123"})

        def grow() -> None:
            server.files[b"TP001.csv"] += b"more"

        deliveries = fetched([ListedReport("TP001.csv", 4)], server, between=grow)
        end = deliveries[-1]
        assert isinstance(end, ReportEnd)
        assert end.size_bytes > len(contents(deliveries)["TP001.csv"]) > 4 * GROWTH_ROUNDS

    def test_a_server_that_can_open_only_few_files_gets_few(self) -> None:
        """Those it refused meanwhile get their turn again."""
        server = MemoryServer(some_files(Random(6), 200, largest=1_000), most_open=9)
        deliveries = fetched(reports_of(server), server)
        assert {name.decode(): one for name, one in server.files.items()} == contents(deliveries)
        assert 9 == server.open_most

    def test_a_file_that_is_gone_fails_alone(self) -> None:
        server = MemoryServer(some_files(Random(7), 20, largest=1_000))
        reports = [*reports_of(server), ListedReport("gone.csv", 7)]
        deliveries = fetched(reports, server)
        failed = [one for one in deliveries if isinstance(one, ReportFailed)]
        assert ["gone.csv: no such file"] == [str(one.error) for one in failed]
        assert 20 == len(contents(deliveries))

    def test_a_read_that_is_refused_fails_its_file_alone(self) -> None:
        class Refuses(MemoryServer):
            def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
                if content.startswith(b"bad") and offset:
                    return status(number, FAILURE, b"disk error")
                return super().read(number, content, offset, length)

        server = Refuses({b"bad.csv": b"bad" + bytes(90_000), b"good.csv": bytes(90_000)})
        deliveries = fetched(reports_of(server), server)
        assert {"good.csv": bytes(90_000)} == contents(deliveries)
        failed = [one for one in deliveries if isinstance(one, ReportFailed)]
        assert ["bad.csv: disk error"] == [str(one.error) for one in failed]

    def test_a_server_that_answers_a_byte_at_a_time_is_given_up(self) -> None:
        server = MemoryServer({b"TP001.csv": bytes(50_000)}, most_bytes=1)
        [*_, failed] = fetched([ListedReport("TP001.csv", 50_000)], server)
        assert isinstance(failed, ReportFailed)
        assert "fewer than 512 bytes at a time" in str(failed.error)

    def test_a_read_that_is_never_answered_leaves_the_server_in_peace(self) -> None:
        """What is not answered is waited for; the file's size is not asked for again and again."""

        class Silent(MemoryServer):
            def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
                return b""

        server = Silent({b"TP001.csv": bytes(1000)})
        conversation = greeted(server)
        fetch = fetching(reports_of(server), [Allowance(conversation, ENOUGH)])
        turns = 0
        fetch.go_on()
        while turn([(conversation, server)]):
            fetch.go_on()
            turns += 1
        assert (2, 1) == (turns, conversation.waiting)

    def test_leaving_closes_what_is_open_and_what_is_still_being_opened(self) -> None:
        server = MemoryServer(some_files(Random(8), 50))
        conversation = greeted(server)
        fetch = fetching(reports_of(server), [Allowance(conversation, ENOUGH)], most_open=10)
        fetch.go_on()
        turn([(conversation, server)])
        fetch.go_on()
        while not fetch.leave():
            turn([(conversation, server)])
        assert ({}, 0) == (server.handles, conversation.waiting)


class TestNonsense:
    @given(st.binary(max_size=200), st.booleans())
    def test_garbage_is_broken_and_nothing_else(self, garbage: bytes, greets: bool) -> None:
        conversation = Conversation()
        if greets:
            conversation.receive(version())
        FolderListing(conversation, b"out")
        fetching([ListedReport("a", 9)], [Allowance(conversation, ENOUGH)]).go_on()
        with suppress(Broken):
            conversation.receive(garbage)

    @given(st.data())
    def test_a_changed_byte_is_broken_or_harmless(self, drawn: st.DataObject) -> None:
        """Whatever it is, it ends, and nothing but `Broken` is raised."""
        server = MemoryServer(some_files(Random(9), 3, largest=500))
        conversation = greeted(server)
        allowance = Allowance(conversation, ENOUGH)
        fetch = fetching(reports_of(server), [allowance])
        for _ in range(4):
            fetch.go_on()
            answer = bytearray(server.take(conversation.take_output()))
            if answer:
                place = drawn.draw(st.integers(0, len(answer) - 1))
                answer[place] ^= 1 << drawn.draw(st.integers(0, 7))
            try:
                conversation.receive(bytes(answer))
            except Broken:
                return

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(b"SSH-2.0-banner\r\n", id="no-sftp"),
            pytest.param(version(2), id="old-version"),
            pytest.param((MAX_ANSWER_BYTES + 1).to_bytes(4, "big") + b"\x02", id="endless"),
            pytest.param(bytes(8), id="empty"),
            pytest.param(version() + status(77, 0), id="not-asked"),
            pytest.param(version() + data(77, b"x"), id="data-not-asked"),
        ],
    )
    def test_what_is_no_answer_is_broken(self, answer: bytes) -> None:
        with pytest.raises(Broken):
            Conversation().receive(answer)

    def test_more_bytes_than_were_asked_for_are_broken(self) -> None:
        class Generous(MemoryServer):
            def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
                return data(number, content[offset:] + b"and more")

        server = Generous({b"TP001.csv": b"0123"})
        with pytest.raises(Broken, match="more bytes came"):
            fetched(reports_of(server), server)


def test_nothing_is_asked_for_beyond_the_allowance() -> None:
    """What nobody takes is bounded: a file is asked for as far as the bytes are taken."""
    server = MemoryServer({b"large": bytes(LARGE_BYTES)}, limits=True)
    conversation = greeted(server)
    fetch = fetching([ListedReport("large", LARGE_BYTES)], [Allowance(conversation, 200_000)])
    for _ in range(20):
        fetch.go_on()
        turn([(conversation, server)])
    held = sum(len(one.data) for one, _ in fetch.waiting if isinstance(one, ReportChunk))
    assert 200_000 <= held < 200_000 + 65_536
    assert isinstance(fetch.waiting, deque)


def test_while_answers_are_to_come_many_questions_are_asked_together() -> None:
    """Each question alone would cost both sides a packet of its own."""
    server = MemoryServer({b"large": bytes(2 * LARGE_BYTES)}, limits=True)
    conversation = greeted(server)
    allowance = Allowance(conversation, 2 * ASKED_AT_ONCE_BYTES)
    fetch = fetching([ListedReport("large", 2 * LARGE_BYTES)], [allowance])
    fetch.go_on()
    turn([(conversation, server)])
    answers = server.take(conversation.take_output())
    conversation.receive(answers[:-1])
    assert allowance.left <= 0 < conversation.waiting
    sent: list[bytes] = []
    while fetch.waiting and not any(sent):
        fetch.take()
        fetch.go_on()
        sent.append(conversation.take_output())
    assert len(sent) * CHUNK_BYTES >= ASKED_AT_ONCE_BYTES
    assert 2 <= sent[-1].count(bytes([Kind.READ]) + b"\0\0")


def test_pieces_that_wait_one_behind_the_other_are_one_chunk() -> None:
    server = MemoryServer({b"one": bytes(200_000), b"two": b"2" * 10}, limits=True)
    conversation = greeted(server)
    allowance = Allowance(conversation, ENOUGH)
    fetch = fetching(reports_of(server), [allowance])
    for _ in range(4):
        fetch.go_on()
        turn([(conversation, server)], Random(7))
    assert 4 < len(fetch.waiting)
    taken = [fetch.take() for _ in range(4)]
    sizes = {one.report.name: len(one.data) for one in taken if isinstance(one, ReportChunk)}
    assert {"one": 200_000, "two": 10} == sizes
    assert ENOUGH == allowance.left
