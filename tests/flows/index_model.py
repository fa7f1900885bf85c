"""A run without processes: the steps of engines and supervisor, in whatever order a seed says.

Board, hold-back, ranks and inquest are the real ones; engines are a few lines that take messages,
die of one or hang on it, lose some, are killed and begin again. Time is a number. What a process
does between looking at the board and writing on it is one step here, as it is a few microseconds
there; everything else may happen at any moment, and a step may be late.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import cast

from attrs import define, field

from hkex_ops.clock import ManualClock
from hkex_ops.config.index import IndexSettings
from hkex_ops.config.settings import Settings
from hkex_ops.flows.index.attending import Attendance
from hkex_ops.flows.index.board import BOARD_NAME, Board, EngineRow
from hkex_ops.flows.index.children import Ended
from hkex_ops.flows.index.events import RunEvent
from hkex_ops.flows.index.holdback import HoldBack, limits_of
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.index.run_plan import RunPlan, Seat
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import HONG_KONG, SiteRole
from hkex_ops.ports import FeedLine, PacketBatch

__all__ = ["CHANNEL", "ENGINES", "Model"]

CHANNEL = 30
ENGINES = 3
MESSAGES = 60
WATCHDOG_MS, HOLD_BACK_MS = 1_000, 1_500
KILLED = -9
TEN = datetime(2026, 11, 20, 10, tzinfo=HONG_KONG)


class State(Enum):
    """What a process is doing, as far as the kernel knows."""

    OFF = auto()
    STARTING = auto()
    UP = auto()
    DYING = auto()  # an error is on its way up; the row still says what was in hand
    HUNG = auto()
    GONE = auto()  # the supervisor has not seen it yet


@define
class Process:
    """One engine's process, or the place where one will be."""

    number: int
    hold: HoldBack
    row: EngineRow
    state: State = State.OFF
    until: int = 0
    pid: int = 0
    status: int = 0
    known: int = 0  # everything up to here was worked
    beyond: set[int] = field(factory=set[int])  # worked behind a gap
    heard: int = 0  # how much of what was sent its feed has brought
    gap_told: bool = False
    gap_until: int = 0
    todo: Iterator[PacketBatch] = field(factory=lambda: cast("Iterator[PacketBatch]", iter(())))
    in_work: PacketBatch | None = None


def packet(first: int, count: int) -> bytes:
    """A header that announces ``count`` messages from ``first`` on."""
    return bytes([16, 0, count, 0]) + first.to_bytes(4, "little") + bytes(8)


def numbers_of(batch: PacketBatch) -> range:
    """The numbers of the messages of a batch, which is one packet here."""
    [one] = batch.packets
    first = int.from_bytes(one[4:8], "little")
    return range(first, first + one[2])


class Model:
    """One run of ``ENGINES`` engines over `MESSAGES` messages, one of which is ``poison``."""

    def __init__(self, seed: int, path: Path) -> None:
        self.chance = random.Random(seed)
        self.poison: int = self.chance.randint(2, MESSAGES)
        self.hangs: bool = self.chance.random() < 0.5
        self.now: int = 0
        self.ended_by_poison: list[int] = []
        self.events: list[RunEvent] = []
        self._sent: list[tuple[int, int, int]] = []  # when, first number, how many
        self._next_send = 0
        self._folder = Folder.open(path)
        seats = tuple(
            Seat(f"engine-{number + 1}", number, SiteRole.PRIMARY) for number in range(ENGINES)
        )
        plan = RunPlan(
            Settings(path=path, index=IndexSettings()),
            seats,
            (),
            *(None,) * 5,  # type: ignore[arg-type]
        )
        clock = ManualClock(TEN)
        self.board = Board.create(path / BOARD_NAME, processes=ENGINES, run=1)
        self.book = RunBook.open(self._folder, clock)
        self.attendance = Attendance(plan, self.board, self.book, clock)
        self.processes: list[Process] = [
            Process(
                number,
                HoldBack(self.board, number, limits_of(HOLD_BACK_MS), ranked=True),
                self.board.row(number),
                until=self.chance.randint(0, 400),
            )
            for number in range(ENGINES)
        ]
        self._inquest: tuple[Process, Iterator[RunEvent]] | None = None
        self._ready: list[Process] = []

    def close(self) -> None:
        """Let go of board, journal and folder."""
        self.board.close()
        self.book.close()
        self._folder.close()

    # -- time -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until everything was sent and every engine has it."""
        turns = {None: 0, **{process.number: 0 for process in self.processes}}
        while not self.is_over:
            who = min(turns, key=lambda one: (turns[one], self.chance.random()))
            self.now = max(self.now, turns[who])
            assert self.now < 120_000, f"no end: {self.processes}"
            self._send()
            if who is None:
                self._supervise()
            else:
                self._turn(self.processes[who])
            longest = 400 if self.chance.random() < 0.02 else 40
            turns[who] = self.now + self.chance.randint(1, longest)

    @property
    def is_over(self) -> bool:
        """Whether every message is known to every engine."""
        sent = sum(count for _, _, count in self._sent)
        return sent >= MESSAGES and all(
            one.state is State.UP and one.known >= sent for one in self.processes
        )

    def _send(self) -> None:
        first = 1 + sum(count for _, _, count in self._sent)
        if first <= MESSAGES and self.now >= self._next_send:
            self._sent.append((self.now, first, self.chance.choice([1, 1, 2, 5])))
            self._next_send = self.now + self.chance.choice([5, 30, 150])

    # -- an engine --------------------------------------------------------------------------------

    def _turn(self, one: Process) -> None:
        if one.state in (State.OFF, State.STARTING) and self.now >= one.until:
            self._begin(one)
        elif one.state is State.DYING and self.now >= one.until:
            one.state = State.GONE
        elif one.state is State.UP:
            if self.chance.random() < 0.002:
                one.state, one.status = State.GONE, KILLED
            elif one.in_work is not None:
                self._finish(one, one.in_work)
            else:
                self._take(one)

    def _begin(self, one: Process) -> None:
        if one.state is State.OFF:
            one.state, one.until = State.STARTING, self.now + self.chance.randint(0, 200)
            one.pid += ENGINES + one.number
            return
        one.state = State.UP
        one.row.begin(one.pid)
        one.hold = HoldBack(self.board, one.number, limits_of(HOLD_BACK_MS), ranked=True)
        # Restored from anybody's checkpoint, and late for whatever was sent since.
        newest = max(other.known for other in self.processes)
        one.known = max(0, newest - self.chance.randint(0, 6)) if newest else 0
        one.beyond, one.gap_told, one.todo = set(), False, iter(())
        one.heard = len(self._sent)
        one.row.passed(CHANNEL, one.known)
        self._ready.append(one)

    def _take(self, one: Process) -> None:
        """Draw the next batch that may be taken, and have it in hand."""
        batch = next(one.todo, None)
        while batch is None and one.heard < len(self._sent):
            _, first, count = self._sent[one.heard]
            one.heard += 1
            if self.chance.random() < 0.05:
                continue  # lost on both lines
            one.todo = iter(one.hold.admit(self._batch(first, count), self.now * 1_000_000))
            batch = next(one.todo, None)
        if batch is None and self._is_due_again(one):
            last = min((*one.beyond, 1 + sum(count for _, _, count in self._sent))) - 1
            again = self._batch(one.known + 1, min(last - one.known, 255), FeedLine.RETRANSMISSION)
            one.todo = iter(one.hold.admit(again, self.now * 1_000_000))
            batch = next(one.todo, None)
        if batch is None:
            one.todo = iter(one.hold.release(self.now * 1_000_000))
            batch = next(one.todo, None)
        if batch is not None:
            numbers = numbers_of(batch)
            one.row.work_on(CHANNEL)
            one.row.take(numbers[0], len(numbers))
            one.in_work = batch

    def _is_due_again(self, one: Process) -> bool:
        """Whether what is missing has been waited for, and now comes again."""
        heartbeat = self._sent and one.heard == len(self._sent) and self.now > self._sent[-1][0]
        whole = one.known >= sum(count for _, _, count in self._sent)
        if whole or not (one.beyond or heartbeat):
            one.gap_told = False
        elif not one.gap_told:
            one.gap_told, one.gap_until = True, self.now + self.chance.randint(200, 900)
            one.row.passed(CHANNEL, one.known, lacks=True)
        elif self.now >= one.gap_until:
            one.gap_until = self.now + 500
            return True
        return False

    def _finish(self, one: Process, batch: PacketBatch) -> None:
        one.in_work = None
        numbers = [number for number in numbers_of(batch) if number > one.known]
        for number in numbers:
            if number == self.poison and not self._is_quarantined(number):
                one.row.take_record(number, 5)
                self.ended_by_poison.append(one.number)
                one.todo, one.status = iter(()), 70
                one.state = State.HUNG if self.hangs else State.DYING
                one.until = self.now + self.chance.randint(0, 250)
                return
        one.beyond.update(numbers)
        while one.known + 1 in one.beyond:
            one.known += 1
            one.beyond.discard(one.known)
        one.gap_told = one.gap_told and bool(one.beyond)
        one.row.put_down()
        one.row.passed(CHANNEL, one.known, lacks=one.gap_told)

    def _is_quarantined(self, number: int) -> bool:
        return any(row.first <= number <= row.last for row in self.board.quarantine_rows())

    def _batch(self, first: int, count: int, line: FeedLine = FeedLine.A) -> PacketBatch:
        return PacketBatch(CHANNEL, line, 0, (packet(first, count),))

    # -- the supervisor ---------------------------------------------------------------------------

    def _supervise(self) -> None:
        """One look of the supervisor. An inquest may be held up between any two of its steps."""
        for one in self._ready:
            if one.state is not State.GONE:
                self._tell([self.attendance.ready(f"engine-{one.number + 1}", None)])
        self._ready.clear()
        if self._inquest is not None:
            one, steps = self._inquest
            event = next(steps, None)
            if event is not None:
                self._tell([event])
                return
            one.state, one.until = State.OFF, self.now + self.chance.randint(100, 800)
            one.in_work, self._inquest = None, None
        for one in self.processes:
            if one.state is State.HUNG and self.now - one.until >= WATCHDOG_MS:
                self.attendance.processes[f"engine-{one.number + 1}"].was_hung = True
                one.state, one.status = State.GONE, KILLED
            elif one.state is State.GONE and self._inquest is None:
                ended = Ended(one.pid, one.status)
                self._inquest = one, self.attendance.ended(f"engine-{one.number + 1}", ended)

    def _tell(self, events: Iterable[RunEvent]) -> None:
        for event in events:
            self.events.append(event)
            self.book.event(event)
