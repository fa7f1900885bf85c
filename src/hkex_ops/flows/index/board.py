"""The progress board: what each engine has in hand and what it has passed, in shared memory.

A file of the run folder that every process of a run maps. An engine writes only its own row, and
writes before it acts, so that after its death, whatever killed it, the row says which messages it
had in hand. The supervisor alone writes ranks and quarantine. A slot is eight aligned bytes and is
written in one store; nothing here locks, waits or decides. :mod:`hkex_ops.flows.index.holdback`
reads it, once per packet, so it must stay cheap.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import NamedTuple

from attrs import frozen

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.store.disk import translating

__all__ = [
    "BOARD_NAME",
    "CHANNELS",
    "COUNT_BITS",
    "MOST_PROCESSES",
    "MOST_QUARANTINED",
    "NO_RANK",
    "SECURITY_BITS",
    "Board",
    "EngineRow",
    "InHand",
    "QuarantineRow",
]

BOARD_NAME = "board"
"""What the file is called in a run's folder."""

MOST_PROCESSES = 16
"""Engines and contingency systems that one run may have together."""

CHANNELS = 1 << 16
"""A channel's number has 16 bits (OMD-C specification, section 3.9.3), so every one has a place.
The file is sparse: a page of it exists once a channel that lies there is followed."""

MOST_QUARANTINED = 512
"""Quarantined ranges of messages of one run. Whoever meets more has no poison but a broken day."""

NO_RANK = 0xFF
"""The rank of an engine that is not running, and of a contingency system: nobody waits for it, and
it waits for whoever has a rank."""

COUNT_BITS = 32
"""Half a slot says how many messages are in hand: those of all packets of one look at a feed."""

SECURITY_BITS = 17
"""Codes of securities run from 1 to 99,999 (specification, section 3.7.2)."""

_MAGIC = 0x0031_5844_4E49_5848  # "HXINDX1" as it lies in the file
_SLOT_BYTES = 8

# The first slots of the file.
_AT_MAGIC, _AT_RUN, _AT_PROCESSES, _AT_QUARANTINED = range(4)
_HEAD_SLOTS = 8

# An engine's row: these slots, then one per channel with what it has passed.
_HEART, _RANK, _CHANNEL, _PACKET, _RECORD, _PID, _WAITED_CHANNEL, _WAITED, _MOMENT = range(9)
# In the place of the channel of what had waited: nothing had, and it is nobody's message at all.
_NONE, _NOBODYS = 0, 1 << 32
_ROW_HEAD = 16
_ROW_SLOTS = _ROW_HEAD + CHANNELS
_QUARANTINE_AT = _HEAD_SLOTS
_QUARANTINE_SLOTS = 4
_ROWS_AT = _QUARANTINE_AT + MOST_QUARANTINED * _QUARANTINE_SLOTS
_SLOTS = _ROWS_AT + MOST_PROCESSES * _ROW_SLOTS


class InHand(NamedTuple):
    """The messages that an engine was working on: ``first`` to ``last`` of ``channel``.

    ``security`` is the stock of a single record, 0 for a range and for what is of no stock.
    """

    channel: int
    first: int
    last: int
    security: int


class QuarantineRow(NamedTuple):
    """Messages that no engine is fed: ``first`` to ``last`` of ``channel``, of ``security`` if
    that is one message of one stock, else 0."""

    channel: int
    first: int
    last: int
    security: int


class Board:
    """The mapped file. Get one from :meth:`create` (the supervisor) or :meth:`open`."""

    def __init__(self, file: mmap.mmap) -> None:
        self._file = file
        self._slots = memoryview(file).cast("Q")
        self.processes: int = self._slots[_AT_PROCESSES]

    @classmethod
    def create(cls, path: Path, *, processes: int, run: int) -> Board:
        """A new board in the place of ``path``, with every process absent.

        A process that still maps the old file goes on seeing that one. Raises `UsageError` for
        more processes than a board holds.
        """
        if not 1 <= processes <= MOST_PROCESSES:
            raise UsageError(f"a run has 1 to {MOST_PROCESSES} processes, not {processes}")
        fresh = path.with_name(f"{path.name}.new")
        with translating(path, "make the progress board"):
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.ftruncate(descriptor, _SLOTS * _SLOT_BYTES)
                file = mmap.mmap(descriptor, _SLOTS * _SLOT_BYTES)
            finally:
                os.close(descriptor)
            slots = memoryview(file).cast("Q")
            slots[_AT_RUN], slots[_AT_PROCESSES] = run, processes
            for number in range(MOST_PROCESSES):
                slots[_ROWS_AT + number * _ROW_SLOTS + _RANK] = NO_RANK
            slots[_AT_MAGIC] = _MAGIC
            slots.release()
            os.replace(fresh, path)
        return cls(file)

    @classmethod
    def open(cls, path: Path) -> Board:
        """The board that a supervisor made at ``path``; `StoreError` where there is none."""
        with translating(path, "open the progress board"):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_size != _SLOTS * _SLOT_BYTES:
                    raise StoreError("is no progress board of this version", path=str(path))
                file = mmap.mmap(descriptor, _SLOTS * _SLOT_BYTES)
            finally:
                os.close(descriptor)
        if memoryview(file).cast("Q")[_AT_MAGIC] != _MAGIC:
            raise StoreError("is no progress board of this version", path=str(path))
        return cls(file)

    def close(self) -> None:
        """Let go of it; doing so again does nothing."""
        self._slots.release()
        self._file.close()

    # -- one engine's own row ---------------------------------------------------------------------

    def row(self, number: int) -> EngineRow:
        """The row of the process with that number, counted from 0."""
        if not 0 <= number < self.processes:
            raise UsageError(f"there is no process {number}: the board has {self.processes}")
        return EngineRow(self._slots, _ROWS_AT + number * _ROW_SLOTS)

    def rows(self) -> tuple[EngineRow, ...]:
        """The rows of all processes, in the order of their numbers."""
        return tuple(self.row(number) for number in range(self.processes))

    # -- quarantine -------------------------------------------------------------------------------

    @property
    def quarantined(self) -> int:
        """How many ranges are quarantined; only ever grows, so it tells whether there is news."""
        return self._slots[_AT_QUARANTINED]

    def quarantine(self, row: QuarantineRow) -> None:
        """Quarantine messages: every engine sees them before it sees the count that covers them.

        Raises `UsageError` when the board is full.
        """
        count = self._slots[_AT_QUARANTINED]
        if count == MOST_QUARANTINED:
            raise UsageError(
                f"{MOST_QUARANTINED} ranges are quarantined already: look for the cause"
            )
        at = _QUARANTINE_AT + count * _QUARANTINE_SLOTS
        for place, value in enumerate(row):
            self._slots[at + place] = value
        self._slots[_AT_QUARANTINED] = count + 1

    def quarantine_rows(self, after: int = 0) -> tuple[QuarantineRow, ...]:
        """The quarantined ranges, without the first ``after``."""
        found: list[QuarantineRow] = []
        for place in range(after, self._slots[_AT_QUARANTINED]):
            at = _QUARANTINE_AT + place * _QUARANTINE_SLOTS
            found.append(QuarantineRow(*self._slots[at : at + _QUARANTINE_SLOTS]))
        return tuple(found)


@frozen
class EngineRow:
    """One engine's row. ``slots`` and ``at`` are public so that a fast loop may write directly:
    one store per record is all it can afford (see :attr:`record_slot`)."""

    slots: memoryview
    at: int

    @classmethod
    def detached(cls) -> EngineRow:
        """A row of no board, for an engine that works alone."""
        return cls(memoryview(bytearray(_ROW_SLOTS * _SLOT_BYTES)).cast("Q"), 0)

    # -- written by the engine --------------------------------------------------------------------

    def begin(self, pid: int) -> None:
        """A process takes the row, with nothing in hand. What the one before it had passed stays
        until :meth:`passed` is said: the supervisor gives no rank before that."""
        self.put_down()
        self.take_up_again()
        self.closed_until(0)
        self.slots[self.at + _PID] = pid

    def beat(self, monotonic_ns: int) -> None:
        """Say that the process is alive."""
        self.slots[self.at + _HEART] = monotonic_ns

    def work_on(self, channel: int) -> None:
        """Say of which channel all that is taken next is."""
        self.slots[self.at + _CHANNEL] = channel

    def take_of(self, channel: int, sequence: int, count: int) -> None:
        """:meth:`work_on` and :meth:`take` in one."""
        slots, at = self.slots, self.at
        slots[at + _CHANNEL] = channel
        slots[at + _RECORD] = 0
        slots[at + _PACKET] = sequence << COUNT_BITS | count

    def take(self, sequence: int, count: int) -> None:
        """Say what is about to be looked into: ``count`` messages from ``sequence`` on, of a packet
        or of several. They are in hand until others are, or :meth:`put_down`."""
        self.slots[self.at + _RECORD] = 0
        self.slots[self.at + _PACKET] = sequence << COUNT_BITS | count

    def take_record(self, sequence: int, security: int) -> None:
        """Say which single message is about to be worked on, of a stock or of none (0)."""
        self.slots[self.at + _RECORD] = sequence << SECURITY_BITS | security

    def put_down(self) -> None:
        """Say that nothing is in hand."""
        self.slots[self.at + _PACKET] = self.slots[self.at + _RECORD] = 0

    def take_waited(self, channel: int, sequence: int, security: int) -> None:
        """Say that a message which came before and had to wait is worked on now. What came last
        stays in hand behind it until :meth:`take_up_again`."""
        self.slots[self.at + _WAITED] = sequence << SECURITY_BITS | security
        self.slots[self.at + _WAITED_CHANNEL] = channel + 1

    def take_moment(self) -> None:
        """Say that what is worked on now is no message: a moment has closed. An end that it brings
        is no message's fault, and to leave one out would not mend it."""
        self.slots[self.at + _WAITED_CHANNEL] = _NOBODYS

    def take_up_again(self) -> None:
        """Say that whatever had waited has been worked."""
        self.slots[self.at + _WAITED_CHANNEL] = _NONE

    def closed_until(self, moment_ns: int) -> None:
        """Say that every moment before ``moment_ns`` is closed, and what waited for it worked."""
        self.slots[self.at + _MOMENT] = moment_ns

    @property
    def record_slot(self) -> int:
        """The slot that holds ``sequence << SECURITY_BITS | security`` of the single message in
        hand, or 0."""
        return self.at + _RECORD

    def _passed_slot(self, channel: int) -> int:
        """The slot that holds one more than what was passed of ``channel``, and below it a bit for
        a gap; or 0. `UsageError` for a number that no channel has."""
        if not 0 <= channel < CHANNELS:
            raise UsageError(f"{channel} is no channel: their numbers have 16 bits")
        return self.at + _ROW_HEAD + channel

    def passed(self, channel: int, sequence: int, *, lacks: bool = False) -> None:
        """Say that everything of ``channel`` up to ``sequence`` was worked on or left out; with 0,
        that the channel is followed from here on. ``lacks``: what comes next is missing, and has
        to be had by way of a gap."""
        if not 0 <= channel < CHANNELS:
            self._passed_slot(channel)
        # Said for every batch: without a call more than it needs.
        self.slots[self.at + _ROW_HEAD + channel] = (sequence + 1) << 1 | lacks

    # -- written by the supervisor ----------------------------------------------------------------

    def rank_as(self, rank: int) -> None:
        """Give the engine its place in the order in which messages are taken."""
        self.slots[self.at + _RANK] = rank

    # -- read by anybody --------------------------------------------------------------------------

    @property
    def heart_ns(self) -> int:
        """When the process last said that it is alive; 0 before it did."""
        return self.slots[self.at + _HEART]

    @property
    def rank(self) -> int:
        """The place in the order in which messages are taken; `NO_RANK` for an absent engine."""
        return self.slots[self.at + _RANK]

    @property
    def pid(self) -> int:
        """The process that took the row last."""
        return self.slots[self.at + _PID]

    @property
    def in_hand(self) -> InHand | None:
        """What the process is working on, or was when it died; nothing, if that is a heartbeat or
        a moment."""
        slots, at = self.slots, self.at
        waited = slots[at + _WAITED_CHANNEL]
        if waited == _NOBODYS:
            return None
        if waited:
            record, security = divmod(slots[at + _WAITED], 1 << SECURITY_BITS)
            return InHand(waited - 1, record, record, security) if record else None
        return self.came_last

    @property
    def next_moment_ns(self) -> int:
        """The next moment to close; 0 before the process said one."""
        return self.slots[self.at + _MOMENT]

    @property
    def is_settling(self) -> bool:
        """Whether the process works on what had waited, or on a moment."""
        return self.slots[self.at + _WAITED_CHANNEL] != _NONE

    @property
    def came_last(self) -> InHand | None:
        """What came last and is being worked on, with whatever had waited for it."""
        slots, at = self.slots, self.at
        channel = slots[at + _CHANNEL]
        record, security = divmod(slots[at + _RECORD], 1 << SECURITY_BITS)
        if record:
            return InHand(channel, record, record, security)
        first, count = divmod(slots[at + _PACKET], 1 << COUNT_BITS)
        return InHand(channel, first, first + count - 1, 0) if count else None

    def has_passed(self, channel: int) -> int | None:
        """How far the engine is on ``channel``; ``None`` if it never said so."""
        told = self.slots[self._passed_slot(channel)]
        return (told >> 1) - 1 if told else None

    def lacks(self, channel: int) -> bool:
        """Whether what comes next of ``channel`` is missing there."""
        return bool(self.slots[self._passed_slot(channel)] & 1)
